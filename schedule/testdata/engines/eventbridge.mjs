// Asks the npm package aws-cron-parser for the next times of the expressions that it reads, one a line, without "cron(" and ")".
// README.md says in what form it prints them. It is not Amazon's engine, and it does not tell valid expressions from others.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const parser = createRequire(process.cwd() + '/')('aws-cron-parser');
const { parse, next } = parser.default ?? parser;
const starts = ['2010-02-26T12:34:56Z', '2024-02-28T23:59:59Z', '2027-12-30T06:00:00Z'];
const TIMES = 5;

function gap(seconds) {
	let text = '';
	for (const [unit, letter] of [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']]) {
		if (seconds >= unit) text += Math.floor(seconds / unit) + letter;
		seconds %= unit;
	}
	return text;
}

function times(cron, start) {
	const printed = [];
	for (let at = new Date(start), last; printed.length < TIMES; last = at) {
		at = next(cron, at);
		if (!at || at.getUTCFullYear() > 2099) return printed.length ? [...printed, 'end'].join(' ') : 'never';
		printed.push(last ? gap((at - last) / 1000) : at.toISOString().replace('.000Z', 'Z'));
	}
	return printed.join(' ');
}

for (const expression of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
	let answer;
	try {
		const cron = parse(expression);
		answer = starts.map((start) => times(cron, start)).join('\t');
	} catch {
		answer = 'refused';
	}
	console.log(expression + '\t' + answer);
}
