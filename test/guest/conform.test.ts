/**
 * Our conformance cases (guest/conform/): every case prints what docs/conformance.md says, which is what Linux printed wherever
 * the document says "works". At every trap all invariants hold; at the end every frame is free again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareResults, type Row } from '../../scripts/conform/compare.ts';
import { conformanceDocument } from '../../scripts/conform/conformance-document.ts';
import { DOCUMENT } from '../../scripts/conform/own.ts';
import {
  CONFORM_FOLDER,
  listPrograms,
  parseResults,
  readExplained,
  recordedKernel,
} from '../../scripts/conform/own-cases.ts';
import { runOurs } from '../../scripts/conform/own-run.ts';
import { ROOT } from '../setup/faultline.ts';
import { ZIG } from './compilers.ts';

const folder = join(ROOT, CONFORM_FOLDER);
const programs = listPrograms(folder);
const explained = readExplained(folder);
const document = readFileSync(join(ROOT, DOCUMENT), 'utf8');
const rows: Row[] = [];

describe.skipIf(ZIG.missing !== '')(`conformance cases ${ZIG.missing}`, () => {
  it.each(programs)('$name', { timeout: 300_000 }, async (program) => {
    expect(program.record, `run: npm run conform -- --record ${program.name}`).not.toBeNull();
    const ours = await runOurs(program, { invariants: 'every-trap' });
    const own = compareResults(program, parseResults(ours.output), explained);
    rows.push(...own);
    for (const row of own) {
      expect(row.native, `run: npm run conform -- --record ${program.name}`).not.toEqual(['(not recorded)']);
      expect(row.ours, 'recorded, but not in the program').not.toEqual(['(no result)']);
    }
    expect(ours.leakedFrames).toBe(0);
  });

  it('docs/conformance.md is what npm run conform writes', () => {
    expect(document, 'run: npm run conform').toBe(conformanceDocument(rows, recordedKernel(programs)));
  });

  it('explains only cases that there are', () => {
    const titles = new Set(rows.map(({ call, topic, text }) => `${call} | ${topic} | ${text}`));
    for (const title of explained.keys()) expect(titles.has(title), title).toBe(true);
  });
});
