import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

class Quartz {
    public static void main(String[] args) throws Exception {
        Answers.print(expression -> {
            CronExpression cron = new CronExpression(expression);
            cron.setTimeZone(TimeZone.getTimeZone("UTC"));
            return at -> {
                Date next = cron.getNextValidTimeAfter(Date.from(at));
                return next == null ? null : next.toInstant();
            };
        });
    }
}
