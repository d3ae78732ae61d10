#!/usr/bin/env bash
# Makes one of the tables of this directory anew: generate.sh quartz|spring|unix|eventbridge > quartz.tsv. README.md says what
# each needs. Nothing is left behind.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dialect=${1:?the dialect}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The expressions of the corpus, some of which are of two dialects, and those of this directory.
expressions() {
	{
		awk -F'\t' -v d="$dialect" '$1 == d || $1 == "quartz/spring" && (d == "quartz" || d == "spring") { print $3 }' "$here/../corpus.tsv"
		awk -F'\t' -v d="$dialect" '$1 == d { print $2 }' "$here/extra.tsv" "$here/random.tsv"
	} | LC_ALL=C sort -u
}

java_answers() { # engine, class path
	javac -d "$scratch" -cp "$2" "$here/Answers.java" "$here/$1.java"
	java -cp "$scratch:$2" "$1"
}

case $dialect in
quartz)
	(cd "$scratch" && apt-get -q download libquartz2-java=2.3.2-4 libslf4j-java=1.7.32-1 >&2 && for deb in *.deb; do dpkg-deb -x "$deb" .; done)
	jars=$scratch/usr/share/java
	expressions | java_answers Quartz "$jars/quartz2.jar:$jars/slf4j-api.jar:$jars/slf4j-nop.jar"
	;;
spring)
	expressions | java_answers Spring "${SPRING_CLASSES:?the class path of spring-context and spring-core}"
	;;
unix)
	sources="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$scratch/sources -o Dir::State::lists=$scratch/lists"
	mkdir -p "$scratch/sources" "$scratch/lists/partial"
	sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources > "$scratch/sources/debian.sources"
	# shellcheck disable=SC2086
	(cd "$scratch" && apt-get -q $sources update >&2 && apt-get -q $sources source cron=3.0pl1-162 >&2)
	cd "$scratch"/cron-3.0pl1
	gcc -w -O2 -D_GNU_SOURCE -DDEBUGGING=0 -I. -o "$scratch/unix" "$here/unix.c" entry.c misc.c env.c
	expressions | "$scratch/unix"
	;;
eventbridge)
	cd "$scratch"
	npm install --silent --no-audit --no-fund aws-cron-parser@1.1.12 >&2
	expressions | node "$here/eventbridge.mjs"
	;;
*)
	echo "unknown dialect $dialect" >&2
	exit 2
	;;
esac
