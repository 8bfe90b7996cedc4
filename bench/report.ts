import { cpus, release, totalmem } from 'node:os';
import type { Result } from './measure.ts';
import type { PlatformName } from './platforms.ts';
import type { Group } from './rows.ts';

/** Speed of Faultline divided by that of the other: 1 is as fast, 2 twice as fast. Null where one of the two has no figure. */
export function ratioOf(result: Result, other: PlatformName): number | null {
  const ours = result.figures.get('faultline')?.ns ?? null;
  const theirs = result.figures.get(other)?.ns ?? null;
  return ours === null || theirs === null ? null : theirs / ours;
}

export function geometricMean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function formatNs(ns: number | null): string {
  if (ns === null) return '-';
  if (ns >= 1e6) return `${(ns / 1e6).toPrecision(3)} ms`;
  return ns >= 1000 ? `${(ns / 1000).toPrecision(3)} us` : `${ns.toPrecision(3)} ns`;
}

function formatRatio(ratio: number | null): string {
  if (ratio === null) return '-';
  return ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(ratio < 0.1 ? 3 : 2);
}

const GROUPS: readonly (readonly [Group, string])[] = [
  ['memory', 'memory operations'],
  ['bandwidth', 'loads and stores'],
  ['integer', 'integer kernels'],
  ['float', 'floating-point kernels'],
];

export function machineLine(): string {
  const all = cpus();
  return `${all.length} x ${all[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()}, Node ${process.version}`;
}

/** One line of the table for a terminal; `ratio` is speed: above 1 Faultline is the faster one. */
export function formatLine(result: Result, warning: string): string {
  const { row, figures } = result;
  const cells = (['faultline', 'native', 'qemu'] as const).map((name) =>
    formatNs(figures.get(name)?.ns ?? null).padStart(9),
  );
  const ratios = (['native', 'qemu'] as const).map((name) => formatRatio(ratioOf(result, name)).padStart(8));
  return `${row.name.padEnd(21)}${cells.join(' ')} ${ratios.join(' ')}  ${warning}`.trimEnd();
}

export const HEADING = `${''.padEnd(21)}faultline    native      qemu / native   / qemu`;

export function formatMeans(results: readonly Result[]): string[] {
  return GROUPS.flatMap(([group, title]) => {
    const own = results.filter(({ row }) => row.group === group);
    if (own.length === 0) return [];
    const means = (['native', 'qemu'] as const).map((name) => {
      const ratios = own.map((result) => ratioOf(result, name)).filter((ratio) => ratio !== null);
      return formatRatio(geometricMean(ratios)).padStart(8);
    });
    return [`${`geometric mean of ${own.length} ${title}`.padEnd(50)} ${means.join(' ')}`];
  });
}

/** For scripts: everything that was measured. */
export function toJson(results: readonly Result[], absent: readonly string[]): object {
  return {
    machine: machineLine(),
    absent,
    rows: results.map((result) => ({
      name: result.row.name,
      group: result.row.group,
      operation: result.row.operation,
      ratioNative: ratioOf(result, 'native'),
      ratioQemu: ratioOf(result, 'qemu'),
      ...Object.fromEntries(result.figures),
    })),
  };
}

/** The tables of docs/performance.md. */
export function toMarkdown(
  results: readonly Result[],
  titles: readonly string[],
  absent: readonly string[],
  time: 'wall' | 'cpu',
): string {
  const lines = [
    `Measured on ${machineLine()}${time === 'cpu' ? ', in CPU time, since the machine was busy with other things' : ''}.`,
    '',
    ...[...titles, ...absent.map((line) => `absent: ${line}`)].map((line) => `- ${line}`),
  ];
  for (const [group, title] of GROUPS) {
    const own = results.filter(({ row }) => row.group === group);
    if (own.length === 0) continue;
    lines.push('', `### ${title[0].toUpperCase()}${title.slice(1)}`, '');
    lines.push('| row | one operation | Faultline | native | qemu | to native | to qemu |');
    lines.push('| --- | --- | ---: | ---: | ---: | ---: | ---: |');
    for (const result of own) {
      const { row, figures } = result;
      const cells = (['faultline', 'native', 'qemu'] as const).map((name) => {
        const figure = figures.get(name);
        return figure === undefined ? '-' : figure.ns === null ? figure.why : formatNs(figure.ns);
      });
      const ratios = (['native', 'qemu'] as const).map((name) => formatRatio(ratioOf(result, name)));
      lines.push(`| ${row.name} | ${row.operation} | ${[...cells, ...ratios].join(' | ')} |`);
    }
    const means = (['native', 'qemu'] as const).map((name) =>
      formatRatio(geometricMean(own.map((result) => ratioOf(result, name)).filter((ratio) => ratio !== null))),
    );
    lines.push(`| geometric mean | | | | | ${means.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}
