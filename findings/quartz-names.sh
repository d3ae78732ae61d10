#!/usr/bin/env bash
# Quartz drops whatever follows the name of a day, and calls the expression valid.
#
# Debian's libquartz2-java 2.3.2-4 says that all of these are valid, and reads
#   0 0 12 ? * MON-FRI/2      as every day from Monday to Friday, not every second (2-6/2 is Monday, Wednesday, Friday)
#   0 0 12 ? * MONDAY-FRIDAY  as Mondays only
#   0 0 12 ? * 6#3,2          as the third Monday: the step after # counts for the lowest day of the list
#
# Needs Debian and a JDK. Succeeds as long as it is so.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
apt-get -q download libquartz2-java=2.3.2-4 libslf4j-java=1.7.32-1 > apt.log 2>&1 || { cat apt.log; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" .; done

cat > Week.java <<'JAVA'
import java.time.Instant;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

class Week {
    public static void main(String[] expressions) throws Exception {
        for (String expression : expressions) {
            CronExpression cron = new CronExpression(expression);
            cron.setTimeZone(TimeZone.getTimeZone("UTC"));
            StringBuilder days = new StringBuilder(CronExpression.isValidExpression(expression) + " " + expression + ":");
            Date at = Date.from(Instant.parse("2024-03-01T23:00:00Z")); // a Friday
            for (int i = 0; i < 5; i++) {
                at = cron.getNextValidTimeAfter(at);
                days.append(' ').append(at.toInstant().toString(), 0, 10);
            }
            System.out.println(days);
        }
    }
}
JAVA
jars=usr/share/java/quartz2.jar:usr/share/java/slf4j-api.jar:usr/share/java/slf4j-nop.jar
javac -cp "$jars" Week.java
java -cp "$jars:." Week '0 0 12 ? * 2-6/2' '0 0 12 ? * MON-FRI/2' '0 0 12 ? * MONDAY-FRIDAY' '0 0 12 ? * 6#3,2' | tee answers

diff - answers <<'SEEN' && echo 'as seen: Quartz 2.3.2 drops what follows the name of a day'
true 0 0 12 ? * 2-6/2: 2024-03-04 2024-03-06 2024-03-08 2024-03-11 2024-03-13
true 0 0 12 ? * MON-FRI/2: 2024-03-04 2024-03-05 2024-03-06 2024-03-07 2024-03-08
true 0 0 12 ? * MONDAY-FRIDAY: 2024-03-04 2024-03-11 2024-03-18 2024-03-25 2024-04-01
true 0 0 12 ? * 6#3,2: 2024-03-18 2024-04-15 2024-05-20 2024-06-17 2024-07-15
SEEN
