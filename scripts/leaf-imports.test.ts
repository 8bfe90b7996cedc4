import { expect, test } from 'vitest';
import { copyLeafImports } from './leaf-imports.ts';

const copy = (code: string) => copyLeafImports(code, (specifier) => specifier.includes('leaf'));

test('names of a leaf file become constants, types and other imports stay, lines too', () => {
  expect(copy("import { A, type B, c as d } from './leaf.ts';\nA;")).toBe(
    "import { A as leaf_A, type B, c as leaf_d } from './leaf.ts'; const A = leaf_A; const d = leaf_d;\nA;",
  );
  expect(copy("import {\n  A,\n  B,\n} from '../leaf.ts';")).toBe(
    "import {\n  A as leaf_A,\n  B as leaf_B,\n} from '../leaf.ts'; const A = leaf_A; const B = leaf_B;",
  );
  for (const other of [
    "import { A } from './other.ts';",
    "import type { A } from './leaf.ts';",
    "import * as leaf from './leaf.ts';",
    "import { test } from 'leaf';",
    "const text = `import { A } from './leaf.ts'`;",
  ])
    expect(copy(other)).toBe(other);
});
