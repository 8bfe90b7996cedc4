// Writes src/observe/recording/state-classes.ts: every class that a machine's state can have objects of.
// Usage: node scripts/generate-state-classes.mjs            writes the file
//        node scripts/generate-state-classes.mjs --check    exits 1 if it is not up to date
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = 'src/observe/recording/state-classes.ts';
const FOLDERS = ['src/base', 'src/machine', 'src/mm', 'src/fs', 'src/kernel'];

const classes = [];
const hidden = [];
for (const folder of FOLDERS) {
  for (const file of readdirSync(join(root, folder), { recursive: true }).sort()) {
    const path = `${folder}/${file.replaceAll('\\', '/')}`;
    if (!path.endsWith('.ts') || path.endsWith('.test.ts') || /\/(testing|template)/.test(path)) continue;
    const text = readFileSync(join(root, path), 'utf8');
    for (const [, exported, name, base] of text.matchAll(/^(export )?class (\w+)(?:<[^{]*>)?(?: extends (\w+))?/gm)) {
      if (base === 'Error') continue;
      if (exported === undefined) hidden.push(`${path}: ${name}`);
      else classes.push({ name, path });
    }
  }
}
if (hidden.length > 0) {
  console.error(
    `classes of the machine's state are exported, so that a checkpoint can make them:\n${hidden.join('\n')}`,
  );
  process.exit(1);
}
const named = classes.map(({ name, path }, at) => {
  const isTaken = classes.some((other, before) => before < at && other.name === name);
  return { name, path, local: isTaken ? `${name}${at}` : name };
});
const imports = new Map();
for (const each of named) imports.set(each.path, [...(imports.get(each.path) ?? []), each]);
const lines = [...imports]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([path, list]) => {
    const names = list.map(({ name, local }) => (name === local ? name : `${name} as ${local}`)).join(', ');
    return `import { ${names} } from '${relative(dirname(target), path).replaceAll('\\', '/')}';`;
  });
const text = `// Made by scripts/generate-state-classes.mjs.
${lines.join('\n')}

/** Every class that a machine's state can have objects of, in a fixed order. */
export const STATE_CLASSES: readonly { readonly prototype: object }[] = [
${named.map(({ local }) => `  ${local},`).join('\n')}
];
`;
if (process.argv.includes('--check')) {
  if (readFileSync(join(root, target), 'utf8') === text) process.exit(0);
  console.error(`${target} is not up to date: node scripts/generate-state-classes.mjs`);
  process.exit(1);
}
writeFileSync(join(root, target), text);
