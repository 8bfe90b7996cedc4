import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './scripts/closing-line-reporter.ts';
import { leafImports } from './scripts/leaf-imports.ts';

export default defineConfig({
  plugins: [leafImports()],
  test: {
    include: ['src/**/*.test.ts', 'cli/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    reporters: ['default', new ClosingLineReporter()],
    // Each command line that a test starts checks its invariants (CONTRIBUTING.md). A prime: no loop of a program keeps step with it.
    env: { FAULTLINE_CHECK: process.env.FAULTLINE_CHECK ?? 'traps/97' },
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
