#!/usr/bin/env bash
# Debian's cron accepts days that it then reads otherwise, or never.
#
# The cron of Debian 12, 3.0pl1-162, says nothing against these lines, and executes
#   0 0 * * 5#3      on every Friday: what follows an item is ignored
#   0 0 * * fri-mon  never: a range that runs backwards is empty
#   0 0 1-7 * 1      on the first seven days and on Mondays, as documented, but
#   0 0 */2 * 1      on those odd days that are Mondays, since the field begins with a star
#
# Needs Debian 12 and gcc. It builds the part of cron that reads a line. Succeeds as long as it is so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir -p sources lists/partial
sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources > sources/debian.sources
apt="apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$scratch/sources -o Dir::State::lists=$scratch/lists"
# shellcheck disable=SC2086
($apt update && $apt source cron=3.0pl1-162) > apt.log 2>&1 || { cat apt.log; exit 1; }
cd cron-3.0pl1
gcc -w -O2 -D_GNU_SOURCE -DDEBUGGING=0 -I. -o ../ask "$here/../schedule/testdata/engines/unix.c" entry.c misc.c env.c

# An expression, and the next times after 28 February 2024: the first, and the gaps to those that follow.
printf '%s\n' '0 0 * * 5#3' '0 0 * * fri-mon' '0 0 1-7 * 1' '0 0 */2 * 1' | ../ask | cut -f1,3 | tee ../answers
diff - ../answers <<'SEEN' && echo 'as seen: cron 3.0pl1-162 accepts all four'
0 0 * * 5#3	2024-03-01T00:00:00Z 7d 7d 7d 7d
0 0 * * fri-mon	never
0 0 1-7 * 1	2024-03-01T00:00:00Z 1d 1d 1d 1d
0 0 */2 * 1	2024-03-11T00:00:00Z 14d 7d 14d 14d
SEEN
