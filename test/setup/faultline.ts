import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
/** FAULTLINE_CLI: another build than the one in dist/. */
export const CLI = process.env.FAULTLINE_CLI ?? join(ROOT, 'dist', 'cli.js');

export interface CliResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the built command line as a person would. */
export function faultline(
  args: readonly string[],
  options: { cwd?: string; input?: string | Uint8Array; node?: string; env?: Record<string, string> } = {},
): CliResult {
  const result = spawnSync(options.node ?? process.execPath, [CLI, ...args], {
    cwd: options.cwd ?? ROOT,
    input: options.input ?? '',
    encoding: 'utf8',
    maxBuffer: 256 * 2 ** 20,
    timeout: 280_000,
    env: { ...process.env, ...options.env },
  });
  if (result.error !== undefined) throw result.error;
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}
