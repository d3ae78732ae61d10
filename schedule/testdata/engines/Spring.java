import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import org.springframework.scheduling.support.CronExpression;

class Spring {
    public static void main(String[] args) throws Exception {
        Answers.print(expression -> {
            CronExpression cron = CronExpression.parse(expression);
            return at -> {
                ZonedDateTime next = cron.next(at.atZone(ZoneOffset.UTC));
                return next == null ? null : next.toInstant();
            };
        });
    }
}
