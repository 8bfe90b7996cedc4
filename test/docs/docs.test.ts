import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../setup/faultline.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'src/mm/README.md',
  'src/arch/riscv64/README.md',
  ...(readdirSync(join(ROOT, 'docs'), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Defined there: as a function, class, constant, type or method. */
function defines(text: string, name: string): boolean {
  return new RegExp(`\\b(function|class|interface|const|type) ${name}\\b|^  (private |readonly )*${name}\\(`, 'm').test(
    text,
  );
}

describe.each(PAGES)('%s', (page) => {
  test('its links lead somewhere', () => {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g))
      expect(existsSync(join(ROOT, dirname(page), target)), target).toBe(true);
  });
});

test('README.md leads to every page of docs/questions', () => {
  const readme = read('README.md');
  for (const name of readdirSync(join(ROOT, 'docs/questions')))
    expect(readme).toContain(`[${/^# (.*)/.exec(read(`docs/questions/${name}`))![1]}](docs/questions/${name})`);
});

test('blocks that are files and output of commands are up to date', () => {
  execFileSync(process.execPath, ['scripts/fill-docs.mjs', '--check'], { cwd: ROOT });
}, 120_000);

describe('docs/page-fault.md', () => {
  const text = read('docs/page-fault.md');
  const path = text.slice(text.indexOf('```') + 3, text.indexOf('```', text.indexOf('```') + 3));

  test('each file of the path is there', () => {
    const files = [...text.matchAll(/\b((?:arch|kernel|mm|machine|fs|base)\/[\w/-]+\.(?:ts|md))/g)].map(
      (match) => match[1],
    );
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) expect(existsSync(join(ROOT, 'src', file)), file).toBe(true);
  });

  test('each function stands in the file beside it', () => {
    let count = 0;
    for (const line of path.split('\n')) {
      const [, file, names] = /\b((?:arch|kernel|mm)\/[\w/-]+\.ts) +(.+)$/.exec(line) ?? [];
      if (file === undefined) continue;
      const source = read(`src/${file}`);
      for (const [name] of names.matchAll(/\b([a-z]+[A-Z]\w*|FAULT_\w+|run|classify|set)\b/g)) {
        if (/ returns /.test(names) && name === 'returns') continue;
        expect(defines(source, name), `${name} in ${file}`).toBe(true);
        count++;
      }
    }
    expect(count).toBeGreaterThan(20);
  });

  test('the kinds of its table are those of the code', () => {
    const kinds = [...text.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
    const source = read('src/base/event-fields.ts');
    expect(kinds.length).toBe(12);
    for (const kind of kinds) expect(source).toContain(`'${kind}'`);
  });
});

test('docs/glossary.md: each name is defined in its file', () => {
  const rows = [...read('docs/glossary.md').matchAll(/^\| [^|]+ \| `(\w+)` \| `([\w/.-]+)` \|/gm)];
  expect(rows.length).toBeGreaterThan(50);
  for (const [, name, file] of rows) expect(defines(read(`src/${file}`), name), `${name} in ${file}`).toBe(true);
});
