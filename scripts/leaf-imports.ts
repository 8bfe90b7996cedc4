import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IMPORT = /^import \{([^}]*)\} from '(\.{1,2}\/[^']+\.ts)';/gm;
/** What an import-free file may not have, for a copy of its names to be as good as the names. */
const CHANGING = /^(?:import|export let|export \*|export \{)/m;

/**
 * A Vite plugin for the test run. There every use of an imported name is a look-up in the module's namespace object, so that a loop
 * over frames which names PG_anon or calls assert takes four times as long as in the bundle. Names from leaf files (which import
 * nothing and change nothing that they export) are copied to constants of the importing file: the same meaning, since a file
 * without imports has run before whoever imports it.
 */
export function leafImports() {
  const known = new Map<string, boolean>();
  const isLeaf = (file: string): boolean => {
    const before = known.get(file);
    if (before !== undefined) return before;
    const leaf = existsSync(file) && !CHANGING.test(readFileSync(file, 'utf8'));
    known.set(file, leaf);
    return leaf;
  };
  return {
    name: 'faultline-leaf-imports',
    enforce: 'pre' as const,
    transform(code: string, id: string) {
      if (!id.endsWith('.ts') || id.includes('/node_modules/')) return null;
      return copyLeafImports(code, (specifier) => isLeaf(join(dirname(id), specifier)));
    },
  };
}

/** The source with the imports of leaf files renamed and copied; it keeps its lines. */
export function copyLeafImports(code: string, isLeaf: (specifier: string) => boolean): string {
  return code.replaceAll(IMPORT, (statement: string, list: string, specifier: string) => {
    if (!isLeaf(specifier)) return statement;
    const copies: string[] = [];
    const renamed = list.replaceAll(/(?<=^|,)(\s*)(\w+)(?:\s+as\s+(\w+))?(?=\s*(?:,|$))/g, (_, space, name, as) => {
      const local = as ?? name;
      copies.push(`const ${local} = leaf_${local};`);
      return `${space}${name} as leaf_${local}`;
    });
    return `import {${renamed}} from '${specifier}'; ${copies.join(' ')}`;
  });
}
