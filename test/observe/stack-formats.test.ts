/** What other programs read of a run's call stacks, read by them: pprof's format by Datadog's pprof-format. */
import { join } from 'node:path';
import { Profile } from 'pprof-format';
import { beforeAll, describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import { NodeEnvironment } from '../../cli/node-environment.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import {
  AttributedRun,
  drawFlameGraph,
  encodePprof,
  formatCollapsed,
  MemoryEnvironment,
  PPROF_VALUES,
  System,
  weighStacks,
} from '../../src/index.ts';

let run: AttributedRun;
let durationNs = 0;

beforeAll(async () => {
  const compiled = await compileForGuest(join(import.meta.dirname, 'programs/forks.c'), {});
  if ('error' in compiled) throw new Error(compiled.error);
  const environment = new MemoryEnvironment({ host: new NodeEnvironment().host, onOutput: () => {} });
  const system = new System({ environment, memoryBytes: 64 * 2 ** 20 });
  system.mount({ host: compiled.elf, guest: '/forks', mode: 'ro' });
  run = new AttributedRun(system.kernel, decompressSection);
  system.spawn('/forks', ['/forks']);
  expect(system.run({ instructions: 1e8 })).toBe('exited');
  run.close();
  durationNs = system.kernel.clock.nowNs;
  system.shutdown();
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
