import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import {
  GuardedPolicies,
  PolicyError,
  RECLAIM_POLICIES,
  type ReclaimPolicies,
  type ReclaimPolicyName,
} from '../src/index.ts';
import { UsageError } from './usage-error.ts';

/** A call of shrink that takes longer in real time is one that does not come back. Generous: ours take milliseconds. */
const SHRINK_LIMIT_MS = 20_000;
const EXTENSIONS: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs']);

/** `--reclaim NAME` or `--reclaim FILE`: a name has no dot and no slash. */
export async function loadReclaim(option: string): Promise<ReclaimPolicyName | ReclaimPolicies> {
  const name = RECLAIM_POLICIES.find((each) => each === option);
  if (name !== undefined) return name;
  if (!/[./\\]/.test(option))
    throw new UsageError(
      `--reclaim ${option}: there is no such policy; there are ${RECLAIM_POLICIES.join(', ')}, or a file such as ./my-policy.ts`,
    );
  return loadPolicyFile(option);
}

/** import(), which the bundled command line gets from cli/launch.ts. */
declare const FAULTLINE_IMPORT: ((url: string) => Promise<unknown>) | undefined;
const importModule = (url: string): Promise<unknown> =>
  typeof FAULTLINE_IMPORT === 'undefined' ? import(url) : FAULTLINE_IMPORT(url);

/** A policy of the user: the file exports `createPolicy(frames)` (docs/reclaim-policy.md). */
export async function loadPolicyFile(file: string): Promise<ReclaimPolicies> {
  const path = resolve(file);
  const extension = extname(path);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(`${file}: there is no such file`);
  if (!EXTENSIONS.has(extension)) throw new UsageError(`${file}: a policy is a .ts, .mts, .js or .mjs file`);
  if (extension.endsWith('ts') && !readsTypeScript())
    throw new UsageError(
      `${file}: Node ${process.versions.node} reads no TypeScript; use Node 22.18 or later, or compile it first: npx esbuild ${file} --format=esm --outfile=${file.replace(/\.m?ts$/, '.mjs')}`,
    );
  let exported: { createPolicy?: unknown };
  try {
    exported = (await importModule(pathToFileURL(path).href)) as { createPolicy?: unknown };
  } catch (error) {
    throw new UsageError(`${file}: cannot be loaded: ${firstLine(error)}`);
  }
  const { createPolicy } = exported;
  if (typeof createPolicy !== 'function')
    throw new UsageError(`${file}: exports no createPolicy; write \`export function createPolicy(frames) { ... }\``);
  return new GuardedPolicies(
    file,
    (frames) => (createPolicy as (frames: unknown) => unknown)(frames),
    (call) => withTimeLimit(call, SHRINK_LIMIT_MS, `${file}: shrink does not end`),
  );
}

const CALL = Symbol.for('faultline.limitedCall');
const limited = new Script('globalThis[Symbol.for("faultline.limitedCall")]()');

/** Runs synchronous code that may not come back: throws a PolicyError then. Only a vm script can be stopped by time. */
export function withTimeLimit<T>(call: () => T, milliseconds: number, message: string): T {
  const holder = globalThis as unknown as Record<symbol, unknown>;
  holder[CALL] = call;
  try {
    return limited.runInThisContext({ timeout: milliseconds }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new PolicyError(`${message}: it was stopped after ${milliseconds / 1000} seconds`);
  }
}

function readsTypeScript(): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).split('\n')[0];
}
