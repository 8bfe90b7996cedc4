// Fills the marked blocks of README.md and docs/*.md:
//   <!-- file: PATH -->      the file's text
//   <!-- output: COMMAND --> what the command prints (run in the repository's root)
//   <!-- picture: COMMAND --> the same, but not compared by --check: it depends on the compiler or the machine
// Each ends with <!-- end -->.
// Usage: node scripts/fill-docs.mjs [--check]     --check: writes nothing, exits 1 where a block is out of date
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const isCheck = process.argv.includes('--check');
const pages = ['README.md', ...readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${name}`)];
const stale = [];
for (const page of pages.filter((name) => name.endsWith('.md'))) {
  const before = readFileSync(join(root, page), 'utf8');
  const after = before.replaceAll(
    /<!-- (file|output|picture): (.+?) -->\n[\s\S]*?<!-- end -->/g,
    (block, kind, what) => {
      if (kind === 'picture' && isCheck) return block;
      const text = kind === 'file' ? readFileSync(join(root, what), 'utf8') : run(what);
      const language = kind === 'file' ? extname(what).slice(1) : 'text';
      return `<!-- ${kind}: ${what} -->\n\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n<!-- end -->`;
    },
  );
  if (after === before) continue;
  stale.push(page);
  if (!isCheck) writeFileSync(join(root, page), after);
}
if (isCheck && stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')} (run: npm run docs)`);
  process.exit(1);
}

function run(command) {
  return execFileSync('sh', ['-c', command], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
