/* Asks Debian's cron when it would run the expressions that it reads, one a line. It is linked with entry.c, misc.c and env.c
   of cron's source package, and matches as find_jobs of its cron.c does. See README.md for what it prints. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAIN_PROGRAM
#include "cron.h"

enum { LAST_YEAR = 2099, TIMES = 5 };

static const char *starts[] = {"2010-02-26T12:34:56Z", "2024-02-28T23:59:59Z", "2027-12-30T06:00:00Z"};

/* parse gives NULL unless the expression is all that cron reads before the command. */
static entry *parse(const char *expression)
{
	static struct passwd user = {.pw_name = "root", .pw_dir = "/"};
	static char *no_environment[] = {NULL};
	char line[2000];
	FILE *file;
	entry *e;

	snprintf(line, sizeof line, "%s command\n", expression);
	file = fmemopen(line, strlen(line), "r");
	e = load_entry(file, NULL, &user, no_environment);
	fclose(file);
	if (e && strcmp(e->cmd, "command") != 0)
		return NULL;
	return e;
}

static int on_day(entry *e, const struct tm *t)
{
	int by_month_day = bit_test(e->dom, t->tm_mday - FIRST_DOM), by_weekday = bit_test(e->dow, t->tm_wday);

	if (!bit_test(e->month, t->tm_mon + 1 - FIRST_MONTH))
		return 0;
	if (e->flags & (DOM_STAR | DOW_STAR))
		return by_month_day && by_weekday;
	return by_month_day || by_weekday;
}

static void print_gap(long seconds)
{
	static const struct { char unit; long seconds; } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	int i;

	putchar(' ');
	for (i = 0; i < 4; i++) {
		if (seconds >= units[i].seconds)
			printf("%ld%c", seconds / units[i].seconds, units[i].unit);
		seconds %= units[i].seconds;
	}
}

static void print_times(entry *e, const char *start)
{
	struct tm t = {0};
	time_t now, last = 0;
	int printed = 0;

	strptime(start, "%Y-%m-%dT%H:%M:%SZ", &t);
	putchar('\t');
	for (now = timegm(&t) / 60 * 60 + 60; printed < TIMES; ) {
		gmtime_r(&now, &t);
		if (t.tm_year + 1900 > LAST_YEAR) {
			printf(printed ? " end" : "never");
			return;
		}
		if (!on_day(e, &t)) {
			now += 86400 - (t.tm_hour * 60 + t.tm_min) * 60;
			continue;
		}
		if (!bit_test(e->hour, t.tm_hour)) {
			now += 3600 - t.tm_min * 60;
			continue;
		}
		if (bit_test(e->minute, t.tm_min)) {
			char text[40];
			strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
			if (printed++)
				print_gap(now - last);
			else
				printf("%s", text);
			last = now;
		}
		now += 60;
	}
}

int main(void)
{
	char expression[1000];
	unsigned i;

	while (fgets(expression, sizeof expression, stdin)) {
		expression[strcspn(expression, "\n")] = 0;
		entry *e = parse(expression);
		printf("%s", expression);
		if (e)
			for (i = 0; i < sizeof starts / sizeof *starts; i++)
				print_times(e, starts[i]);
		else
			printf("\trefused");
		putchar('\n');
	}
	return 0;
}
