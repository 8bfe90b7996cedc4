import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CpuProfile, modulesOfBundle, reportProfile, type Share } from './profile-report.ts';

/**
 * `npm run profile -- [OPTIONS OF faultline run] PROGRAM [ARGS]`: where the host's time goes, by what the machine was doing and by
 * function, from V8's sampling profiler. `--keep FILE` before the program keeps the .cpuprofile (DevTools and speedscope read it).
 */
const CLI = join(import.meta.dirname, '../dist/cli.js');
/** What cli.js runs for `run`. */
const MAIN = join(import.meta.dirname, '../dist/run.cjs');
const LEAST_SHARE = 0.005;
const FUNCTIONS = 30;

const args = process.argv.slice(2);
if (args.length === 0) {
  console.error('usage: npm run profile -- [options of faultline run] PROGRAM [ARGS]');
  process.exit(2);
}
if (!existsSync(CLI)) {
  console.error('profile: dist/cli.js is not there: run npm run build first');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'faultline-profile-'));
try {
  const flags = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', folder];
  const run = spawnSync(process.execPath, [...flags, CLI, 'run', ...args], { stdio: 'inherit' });
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('node wrote no profile: the program ended it');
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
  const report = reportProfile(profile, MAIN, modulesOfBundle(readFileSync(MAIN, 'utf8')));
  const line = ({ what, us }: Share): string =>
    `${((us / report.totalUs) * 100).toFixed(1).padStart(6)}% ${(us / 1000).toFixed(1).padStart(9)} ms  ${what}`;
  const out = [`host time ${(report.totalUs / 1000).toFixed(0)} ms (exit ${run.status ?? run.signal})`, ''];
  out.push(...report.categories.filter(({ us }) => us >= report.totalUs * LEAST_SHARE).map(line));
  out.push('', 'functions, by their own time', ...report.functions.slice(0, FUNCTIONS).map(line));
  process.stderr.write(`${out.join('\n')}\n`);
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
