import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cachedDataVersionTag, setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { readApart } from './read-apart.ts';
import { keepNewSpaceSmall } from './small-heap.ts';

/**
 * dist/cli.js: runs main.cjs, the whole command line in one file, or run.cjs, which is `run` alone, from V8's code cache. Reading and
 * compiling so much JavaScript takes as long as all the rest of a short run; what V8 made of it the last time does not.
 *
 * Always true:
 *  - The cache is a cache: its name says of which file, V8 and flags it is, V8 checks the last two, and without one, or where none can be
 *    kept, everything runs as it does with one.
 *  - It lies in a folder of the user's own, never in one that others can write to: it is code.
 *  - A cache file appears whole or not at all (written beside, then renamed).
 */
/** Of several versions of Faultline or Node beside each other; some 2 MB each. */
const KEPT_CACHES = 8;

// Else what V8 compiled at the start of a long run is gone at its end, when the cache is written. Of the flags that a cache is checked for.
setFlagsFromString('--no-flush-bytecode');
const isRun = process.argv[2] === 'run';
// The others make objects that stay.
if (isRun) keepNewSpaceSmall();

const main = join(dirname(import.meta.filename), isRun ? 'run.cjs' : 'main.cjs');
const cacheFile = findCacheFile();
const cachedData = cacheFile === null ? undefined : readOrNothing(cacheFile);
const script = new Script(readApart(main).toString('latin1'), {
  filename: main,
  ...(cachedData === undefined ? {} : { cachedData }),
});
// At the end, so that functions that V8 compiled on the way are in it.
if (cacheFile !== null && (cachedData === undefined || script.cachedDataRejected === true))
  process.on('exit', () => keep(cacheFile));
// With nothing left to do; by itself Node would take its heap apart first.
process.on('beforeExit', () => process.exit());
const module = { exports: {} };
// import() does not work in a script that comes from the cache (Node 20 and 22), so it is given this module's.
const importModule = (url: string): Promise<unknown> => import(url);
script.runInThisContext()(module.exports, require, module, main, dirname(main), importModule);

/** $XDG_CACHE_HOME or ~/.cache, as for compiled programs (toolchain.ts); null: nowhere. */
function findCacheFile(): string | null {
  const { XDG_CACHE_HOME, HOME } = process.env;
  const base = XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : join(HOME ?? '', '.cache');
  if (!base.startsWith('/')) return null;
  const { size, mtimeMs, ino } = statSync(main);
  return join(base, 'faultline', 'code', `${cachedDataVersionTag()}-${size}-${ino}-${Math.floor(mtimeMs)}`);
}

function readOrNothing(file: string): Buffer | undefined {
  try {
    return readApart(file);
  } catch {
    return undefined;
  }
}

function keep(file: string): void {
  const folder = dirname(file);
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    // One level at a time: mkdirSync's `recursive` of Node 20 never returns below a folder that cannot have any (/proc/x).
    for (const each of [dirname(dirname(folder)), dirname(folder), folder]) if (!existsSync(each)) mkdirSync(each);
    writeFileSync(unfinished, script.createCachedData(), { mode: 0o600 });
    renameSync(unfinished, file);
    prune(folder);
  } catch {
    rmSync(unfinished, { force: true });
  }
}

/** Caches of builds that are gone: the oldest go. */
function prune(folder: string): void {
  const ages = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return { path, mtimeMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
  });
  for (const { path } of ages.sort((a, b) => b.mtimeMs - a.mtimeMs).slice(KEPT_CACHES)) rmSync(path, { force: true });
}
