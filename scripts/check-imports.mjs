// Checks the direction of imports (docs/design.md, "Layers"). There is no list of exceptions.
// Usage: node scripts/check-imports.mjs   exits 1 and names each wrong arrow.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// Each layer and the layers that it may import besides itself.
const MAY_IMPORT = {
  'src/base': [],
  'src/abi': [],
  'src/machine': ['src/base', 'src/abi'],
  'src/arch': ['src/base', 'src/abi', 'src/machine'],
  'src/mm': ['src/base', 'src/abi', 'src/machine'],
  'src/fs': ['src/base', 'src/abi', 'src/machine', 'src/mm'],
  'src/kernel': ['src/base', 'src/abi', 'src/machine', 'src/arch', 'src/mm', 'src/fs'],
  'src/observe': ['src/base', 'src/abi', 'src/machine', 'src/arch', 'src/mm', 'src/fs', 'src/kernel'],
  'src/driven-process.ts': ['src/base', 'src/abi', 'src/machine', 'src/mm', 'src/fs', 'src/kernel', 'src/observe'],
  'src/system-options.ts': ['src/machine', 'src/arch', 'src/mm', 'src/observe'],
  'src/system.ts': [
    'src/system-options.ts',
    'src/driven-process.ts',
    'src/base',
    'src/abi',
    'src/machine',
    'src/arch',
    'src/mm',
    'src/fs',
    'src/kernel',
    'src/observe',
  ],
  'src/replay.ts': [
    'src/base',
    'src/machine',
    'src/arch',
    'src/mm',
    'src/kernel',
    'src/observe',
    'src/system.ts',
    'src/system-options.ts',
  ],
  'src/timeline.ts': ['src/base', 'src/machine', 'src/observe', 'src/replay.ts'],
  'src/parting.ts': ['src/base', 'src/observe', 'src/replay.ts'],
  'src/index.ts': [
    'src/parting.ts',
    'src/timeline.ts',
    'src/driven-process.ts',
    'src/replay.ts',
    'src/system-options.ts',
    'src/base',
    'src/abi',
    'src/machine',
    'src/arch',
    'src/mm',
    'src/fs',
    'src/kernel',
    'src/observe',
    'src/system.ts',
  ],
  cli: ['src/index.ts'],
  lab: ['src/index.ts'],
};

/** The kernel does not know which architecture it runs on: of arch/ it may import the interface only. */
const KERNEL_MAY_IMPORT_OF_ARCH = ['src/arch/arch.ts'];

export function findWrongImports(root) {
  const wrong = [];
  for (const file of sourceFiles(root)) {
    const layer = layerOf(file);
    if (layer === null) continue;
    const text = readFileSync(join(root, file), 'utf8');
    const isTest = /\.test\.ts$|\/testing\//.test(file);
    for (const match of text.matchAll(
      /^(?:import\s+(?:[^;'"]*?\s+from\s+)?|export\s+(?:type\s+)?(?:\*|\{)[^;'"]*?\s+from\s+)['"]([^'"]+)['"]/gm,
    )) {
      const specifier = match[1];
      if (!specifier.startsWith('.')) {
        if (layer.startsWith('src') && !isTest) wrong.push(`${file}: imports the package ${specifier}; src/ has none`);
        continue;
      }
      // A test may use whatever it needs to build its subject; the product may not.
      if (isTest) continue;
      const target = normalize(join(dirname(file), specifier));
      const targetLayer = layerOf(target);
      if (targetLayer === null || targetLayer === layer) continue;
      if (!MAY_IMPORT[layer].includes(targetLayer)) wrong.push(`${file}: ${layer} must not import ${target}`);
      else if (layer === 'src/kernel' && targetLayer === 'src/arch' && !KERNEL_MAY_IMPORT_OF_ARCH.includes(target))
        wrong.push(`${file}: the kernel sees ${KERNEL_MAY_IMPORT_OF_ARCH[0]} only, not ${target}`);
    }
  }
  return wrong;
}

function layerOf(file) {
  for (const layer of Object.keys(MAY_IMPORT)) if (file === layer || file.startsWith(`${layer}/`)) return layer;
  return null;
}

function sourceFiles(root) {
  return ['src', 'cli', 'lab'].flatMap((folder) => {
    try {
      return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    } catch {
      return [];
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = findWrongImports(join(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exit(1);
}
