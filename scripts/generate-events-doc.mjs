// Writes docs/events.md from the tables of event kinds. Usage: node scripts/generate-events-doc.mjs
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'faultline-doc-'));
try {
  const outfile = join(folder, 'document.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['scripts/events-document.ts'],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    outfile,
    logLevel: 'warning',
  });
  const { eventsDocument } = await import(pathToFileURL(outfile).href);
  writeFileSync(join(root, 'docs/events.md'), eventsDocument());
} finally {
  rmSync(folder, { recursive: true });
}
