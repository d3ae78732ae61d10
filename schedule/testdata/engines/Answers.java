import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Scanner;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;

/** Prints what an engine answers for the expressions that it reads, one a line. README.md says in what form. */
class Answers {
    static final String[] STARTS = {"2010-02-26T12:34:56Z", "2024-02-28T23:59:59Z", "2027-12-30T06:00:00Z"};
    static final int TIMES = 5;
    static final int LAST_YEAR = 2099;

    interface Engine {
        /** Returns the function from an instant to the next, null if there is none. It throws if the expression is invalid. */
        UnaryOperator<Instant> parse(String expression) throws Exception;
    }

    static void print(Engine engine) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
        for (Scanner in = new Scanner(System.in); in.hasNextLine();) {
            String expression = in.nextLine();
            Future<String> line = threads.submit(() -> line(engine, expression));
            try {
                System.out.println(expression + line.get(3, TimeUnit.SECONDS));
            } catch (TimeoutException e) {
                System.err.println("no answer in time: " + expression); // the table leaves it out
            }
        }
        System.exit(0);
    }

    private static String line(Engine engine, String expression) {
        StringBuilder text = new StringBuilder();
        try {
            UnaryOperator<Instant> next = engine.parse(expression);
            for (String start : STARTS) {
                times(text.append('\t'), next, Instant.parse(start));
            }
        } catch (Exception e) {
            return "\trefused";
        }
        return text.toString();
    }

    private static void times(StringBuilder text, UnaryOperator<Instant> next, Instant at) {
        for (int printed = 0; printed < TIMES; printed++) {
            Instant last = at;
            at = next.apply(at);
            if (at == null || at.atZone(ZoneOffset.UTC).getYear() > LAST_YEAR) {
                text.append(printed == 0 ? "never" : " end");
                return;
            }
            if (printed == 0) {
                text.append(at);
            } else {
                gap(text.append(' '), at.getEpochSecond() - last.getEpochSecond());
            }
        }
    }

    private static void gap(StringBuilder text, long seconds) {
        long[] units = {86400, 3600, 60, 1};
        if (seconds == 0) {
            text.append("0s"); // an engine that stands still
        }
        for (int i = 0; i < units.length; i++) {
            if (seconds >= units[i]) {
                text.append(seconds / units[i]).append("dhms".charAt(i));
            }
            seconds %= units[i];
        }
    }
}
