import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BufferSink } from '../../base/io.ts';
import type { Kernel } from '../kernel.ts';
import { gzipStored, readConfigGz } from './kernel-config.ts';

test('a stored gzip member unpacks to what went in', () => {
  const bytes = new TextEncoder().encode('CONFIG_MMU=y\n');
  expect(gunzipSync(gzipStored(bytes))).toEqual(Buffer.from(bytes));
});

test('config.gz reads in pieces and holds one line an option', () => {
  const parts: Uint8Array[] = [];
  let pos = 0;
  for (;;) {
    const sink = new BufferSink(100);
    const moved = readConfigGz(null as unknown as Kernel, null, pos, sink);
    if (moved === 0) break;
    parts.push(sink.filled);
    pos += moved;
  }
  const lines = gunzipSync(Buffer.concat(parts)).toString().trimEnd().split('\n');
  expect(lines).toContain('CONFIG_MMU=y');
  const names = lines.map((line) => /CONFIG_(\w+)/.exec(line)?.[1]).filter((name) => name !== undefined);
  expect(new Set(names).size).toBe(names.length);
});
