import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { compileForGuest } from '../cli/toolchain.ts';
import type { runInMachine } from './in-page.ts';
import { median } from './measure.ts';

/** Program, row, and where its count starts. */
const ROWS = [
  ['faults', 'fault_touch', 4096],
  ['faults', 'cow_storm', 2048],
  ['mappings', 'mprotect_split', 500],
  ['processes', 'fork_exit_1m', 30],
  ['processes', 'syscall_null', 2000],
  ['integers', 'sort', 20],
  ['integers', 'sha256', 20],
  ['floats', 'matmul', 20],
] as const;
const ROUNDS = 3;
/** One measured stretch in Node, ms. */
const TARGET_MS = 300;
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

type Runner = typeof runInMachine;

/**
 * The same bundle of Faultline, on the same programs, in headless Chromium and in Node, in turns: how many times as long the browser takes.
 * Needs a Chromium of the system (Debian: apt install chromium).
 */
export async function runChromium(): Promise<void> {
  const executablePath = BROWSERS.find((path) => existsSync(path));
  if (executablePath === undefined) {
    console.log('chromium: not installed (Debian: apt install chromium)');
    return;
  }
  // Not for the other benchmarks, whose processes start often.
  const { build } = await import('esbuild');
  const { chromium } = await import('playwright-core');
  const folder = mkdtempSync(join(tmpdir(), 'faultline-chromium-'));
  const bundle = join(folder, 'page.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'in-page.ts')],
    bundle: true,
    format: 'esm',
    target: 'node20.19',
    minifySyntax: true,
    outfile: bundle,
    logLevel: 'warning',
  });
  const inNode = ((await import(pathToFileURL(bundle).href)) as { runInMachine: Runner }).runInMachine;
  const programs = await compileAll();
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const body =
      name === 'page.mjs' ? readFileSync(bundle) : (programs.get(name) ?? '<!doctype html><title>bench</title>');
    response.setHeader(
      'content-type',
      name === 'page.mjs' ? 'text/javascript' : programs.has(name) ? 'application/wasm' : 'text/html',
    );
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    console.log(`Chromium ${browser.version()}, Node ${process.version}; medians of ${ROUNDS} rounds in turns`);
    const ratios: number[] = [];
    for (const [program, row, start] of ROWS)
      ratios.push(await measure(page, inNode, programs, { program, row, start }));
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    console.log(`${'geometric mean'.padEnd(54)}${mean.toFixed(2).padStart(8)}`);
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compileAll(): Promise<Map<string, Buffer>> {
  const programs = new Map<string, Buffer>();
  for (const name of new Set(ROWS.map(([program]) => program))) {
    const built = await compileForGuest(join(import.meta.dirname, 'guest', `${name}.c`), {
      extraFlags: ['-O2', '-ffp-contract=off', '-static', '-pthread'],
    });
    if ('error' in built) throw new Error(built.error);
    programs.set(name, readFileSync(built.elf));
  }
  return programs;
}

/** The browser's time over Node's. */
async function measure(
  page: Page,
  inNode: Runner,
  programs: ReadonlyMap<string, Buffer>,
  { program, row, start }: { program: string; row: string; start: number },
): Promise<number> {
  const elf = new Uint8Array(programs.get(program)!);
  let count = start;
  for (let ms = inNode({ elf, row, count }); ms < TARGET_MS; ms = inNode({ elf, row, count }))
    count = Math.ceil(count * Math.min(8, Math.max(1.5, (TARGET_MS * 1.2) / Math.max(ms, 1))));
  const times: { node: number[]; chromium: number[] } = { node: [], chromium: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.node.push(inNode({ elf, row, count }));
    times.chromium.push(await inChromium(page, program, row, count));
  }
  const [node, browser] = [times.node, times.chromium].map((all) => median(all.sort((a, b) => a - b)));
  console.log(
    `${row.padEnd(16)}${`${node.toFixed(0)} ms in Node`.padStart(16)}${`${browser.toFixed(0)} ms in Chromium`.padStart(22)}${(browser / node).toFixed(2).padStart(8)}`,
  );
  return browser / node;
}

function inChromium(page: Page, program: string, row: string, count: number): Promise<number> {
  // As text: what a bundler makes of a function need not run in a page.
  return page.evaluate(`(async () => {
    const { runInMachine } = await import('/page.mjs');
    const elf = new Uint8Array(await (await fetch('/${program}')).arrayBuffer());
    return runInMachine({ elf, row: '${row}', count: ${count} });
  })()`) as Promise<number>;
}
