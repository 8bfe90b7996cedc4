import { mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReclaimPolicies, Replay } from '../src/index.ts';
import { loadPolicyFile } from './policy-file.ts';
import { type Recording, readRecording } from './recording-reader.ts';

declare const FAULTLINE_VERSION: string;

/** A recording that can be replayed, as often as one likes. */
export interface OpenRecording extends Recording {
  /** 'shown': what the program writes goes to our own standard output and error. */
  readonly makeReplay: (output?: 'quiet' | 'shown') => Replay;
}

/** Reads a recording; says on standard error what is missing of it, or that another version made it. */
export async function openRecording(file: string): Promise<OpenRecording> {
  const recording = readRecording(file, (why) =>
    process.stderr.write(`faultline: ${file}: ${why}; what comes before is here\n`),
  );
  const { header, journal } = recording;
  if (header.faultline !== FAULTLINE_VERSION)
    process.stderr.write(
      `faultline: ${file}: was recorded by Faultline ${header.faultline}; this is ${FAULTLINE_VERSION}, and its run may be another one\n`,
    );
  const reclaim = await loadPolicy(recording);
  const makeReplay = (output: 'quiet' | 'shown' = 'quiet'): Replay =>
    new Replay(header.machine, journal, { reclaim, onOutput: output === 'shown' ? showOutput : undefined });
  return { ...recording, makeReplay };
}

function showOutput(descriptor: 1 | 2, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

/** The user's policy as it was recorded: loaded from a file of its own. */
async function loadPolicy({ header }: Recording): Promise<ReclaimPolicies | undefined> {
  if (header.policy === null) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'faultline-policy-'));
  try {
    const file = join(folder, header.policy.name);
    writeFileSync(file, header.policy.text);
    return await loadPolicyFile(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
