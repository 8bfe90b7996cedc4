import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SYSCTLS } from '../../src/kernel/procfs/sysctl-table.ts';

/** name -> acts, shown or absent, as docs/vm-sysctl.md says. */
function documented(): Map<string, string> {
  const text = readFileSync(new URL('../../docs/vm-sysctl.md', import.meta.url), 'utf8');
  return new Map([...text.matchAll(/^\| `([^`]+)` \| (\w+) \|/gm)].map(([, name, state]) => [name, state]));
}

describe('docs/vm-sysctl.md', () => {
  it('says of each name what the table has', () => {
    const table = documented();
    const rows = new Map(SYSCTLS.filter(({ path }) => path.startsWith('vm/')).map((row) => [row.path.slice(3), row]));
    for (const name of rows.keys()) expect(table.has(name), `${name} has a row in docs/vm-sysctl.md`).toBe(true);
    for (const [name, state] of table) {
      const row = rows.get(name);
      const is = row === undefined ? 'absent' : row.write === null ? 'shown' : 'acts';
      expect([name, state]).toEqual([name, is]);
    }
  });
});
