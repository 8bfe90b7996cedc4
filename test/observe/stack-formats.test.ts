/** What other programs read of a run's call stacks: pprof's format as Datadog's pprof-format reads it, collapsed stacks and flame graphs. */
import { Profile } from 'pprof-format';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttributedRun,
  drawFlameGraph,
  encodePprof,
  formatCollapsed,
  PPROF_VALUES,
  weighStacks,
} from '../../src/index.ts';
import { attributeProgram } from './attribute-program.ts';

let run: AttributedRun;
let durationNs = 0;

beforeAll(async () => {
  ({ run, durationNs } = await attributeProgram('test/observe/programs/forks.c'));
}, 120_000);

describe('pprof', () => {
  const decode = () => Profile.decode(encodePprof(run, durationNs));

  it('has all values, and their sums are the totals', () => {
    const profile = decode();
    const text = (at: number | bigint): string => profile.stringTable.strings[Number(at)];
    const types = profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`);
    expect(types).toEqual(PPROF_VALUES.map(({ type, unit }) => `${type}/${unit}`));
    expect(text(profile.defaultSampleType)).toBe('minor_faults');
    expect(Number(profile.durationNanos)).toBe(durationNs);
    const sums = types.map((_, at) => profile.sample.reduce((sum, { value }) => sum + Number(value[at]), 0));
    const { total } = run.tables.by('function');
    const { minorFaults, majorFaults, cowCopies, peakBytes, refaults, tlbMisses } = total;
    expect(sums).toEqual([minorFaults, majorFaults, cowCopies, peakBytes, refaults, tlbMisses]);
  });

  it('has the functions with their lines, and everything that it refers to', () => {
    const profile = decode();
    const text = (at: number | bigint): string => profile.stringTable.strings[Number(at)];
    const functions = new Map(profile.function.map((each) => [Number(each.id), each]));
    const locations = new Map(profile.location.map((each) => [Number(each.id), each]));
    const mappings = new Set(profile.mapping.map(({ id }) => Number(id)));
    const stacks = profile.sample.map(({ locationId, value }) => ({
      faults: Number(value[0]),
      names: locationId.flatMap((id) => {
        const location = locations.get(Number(id));
        if (location === undefined) throw new Error(`no location ${id}`);
        expect(mappings.has(Number(location.mappingId))).toBe(true);
        return location.line.map(({ functionId }) => text(functions.get(Number(functionId))?.name ?? -1));
      }),
    }));
    const filled = stacks.filter(({ names }) => names[0] === 'fill').reduce((sum, { faults }) => sum + faults, 0);
    expect(filled).toBeGreaterThanOrEqual(499);
    expect(stacks.find(({ names }) => names[0] === 'child_work')?.names).toContain('main');
    const [sample] = profile.sample;
    expect(sample.label.map(({ key }) => text(key))).toEqual(['process', 'mapping']);
  });
});

describe('stacks of one weight', () => {
  it('are a line each, outermost first, and their sum is the total', () => {
    const lines = formatCollapsed(weighStacks(run, (row) => row.cowCopies))
      .trimEnd()
      .split('\n');
    for (const line of lines) expect(line).toMatch(/^[^;\n]+(;[^;\n]+)* \d+$/);
    const sum = lines.reduce((sofar, line) => sofar + Number(line.slice(line.lastIndexOf(' '))), 0);
    expect(sum).toBe(run.tables.by('function').total.cowCopies);
    const child = lines.find((line) => line.includes(';child_work '));
    expect(child).toMatch(/^forks;.*;main;child_work 300$/);
  });

  it('are a picture whose boxes add up', () => {
    const svg = drawFlameGraph(
      weighStacks(run, (row) => row.cowCopies),
      { title: 'copies <of> forks', unit: 'times' },
    );
    expect(svg.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg"')).toBe(
      true,
    );
    expect(svg).toContain('copies &lt;of&gt; forks');
    const { total } = run.tables.by('function');
    expect(svg).toContain(`<title>all (${total.cowCopies} times, 100.00%)</title>`);
    expect(svg).toMatch(/<title>child_work \(300 times, /);
    // Each box that is opened is closed.
    expect(svg.match(/<g>/g)?.length).toBe(svg.match(/<\/g>/g)?.length);
  });
});
