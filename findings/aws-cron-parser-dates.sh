#!/usr/bin/env bash
# aws-cron-parser, the npm package that reads the expressions of Amazon EventBridge, moves dates that a month does not have.
#
# Version 1.1.12 answers 1 March for 29 February (0 0 29 2 ? *) in years without it, and 1 May for 31 April (0 0 31 4 ? *). Of the list
# 8-23,0-1 it never finds hours 0 and 1: a list must be in order.
#
# Needs npm. Succeeds as long as it is so.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
npm install --silent --no-audit --no-fund aws-cron-parser@1.1.12

cat > ask.cjs <<'JS'
const module_ = require('aws-cron-parser');
const { parse, next } = module_.default ?? module_;
for (const expression of ['0 0 29 2 ? *', '0 0 31 4 ? *', '0 8-23,0-1 * * ? *']) {
	let line = expression + ':';
	let at = new Date('2024-12-31T21:30:00Z');
	for (let i = 0; i < 4; i++) {
		at = next(parse(expression), at);
		line += ' ' + at.toISOString().slice(0, 13);
	}
	console.log(line);
}
JS
node ask.cjs | tee answers
diff - answers <<'SEEN' && echo 'as seen: aws-cron-parser 1.1.12'
0 0 29 2 ? *: 2025-03-01T00 2026-03-01T00 2027-03-01T00 2028-02-29T00
0 0 31 4 ? *: 2025-05-01T00 2026-05-01T00 2027-05-01T00 2028-05-01T00
0 8-23,0-1 * * ? *: 2024-12-31T22 2024-12-31T23 2025-01-01T08 2025-01-01T09
SEEN
