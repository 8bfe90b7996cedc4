import type { SyscallRow } from '../src/kernel/syscalls/row.ts';

/** docs/syscalls.md as text: one line a system call of the architecture, in the order of numbers. */
export function syscallsDocument(
  rows: readonly Pick<SyscallRow, 'name' | 'support' | 'note'>[],
  numbers: ReadonlyMap<string, number>,
): string {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const lines: string[] = [];
  const counts = { full: 0, partial: 0, absent: 0 };
  for (const [name, number] of [...numbers].sort((a, b) => a[1] - b[1])) {
    const row = byName.get(name);
    const support = row?.support ?? 'absent';
    counts[support]++;
    lines.push(`| ${number} | \`${name}\` | ${support} | ${row?.note ?? ''} |`);
  }
  return `# System calls

Generated from the system-call table by \`node scripts/generate-syscalls-doc.mjs\`; a test compares the two.

Numbers are those of riscv64 (asm-generic). ${counts.full} calls behave as Linux 6.18's, ${counts.partial} in part (the note says what is
missing), ${counts.absent} are not there: those return \`ENOSYS\`, are counted, and are named at the end of a run.

| number | name | support | note |
| ---: | --- | --- | --- |
${lines.join('\n')}
`;
}
