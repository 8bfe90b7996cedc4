// The picture of merging in docs/page-fault.md: two strangers' pages before and after each scan of ksmd.
import {
  type DrivenProcess,
  formatPage,
  MADV_MERGEABLE,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MemoryEnvironment,
  PROT_READ,
  PROT_WRITE,
  System,
} from 'faultline';

const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 32 * 2 ** 20 });
const ksm = (name: string, value?: string) => {
  const path = `/sys/kernel/mm/ksm/${name}`;
  if (value !== undefined) system.writeFile(path, new TextEncoder().encode(value));
  return new TextDecoder().decode(system.readFile(path) as Uint8Array).trim();
};
/** ksmd's next batch: time passes until its timer fires. */
const scan = () => {
  system.skipIdle(system.idleNs());
  system.run({});
};
/** Frames by letter, in the order in which they appear. */
const letters = new Map<string, string>();
const named = (line: string) =>
  line.replace(/frame (\d+)/, (_, pfn: string) => {
    if (!letters.has(pfn)) letters.set(pfn, String.fromCharCode(65 + letters.size));
    return `frame ${letters.get(pfn)}`;
  });
let lastFault = '';
system.onFault((fault) => (lastFault = fault.kind));
const processes: [string, DrivenProcess, number][] = [];
const show = (step: string) => {
  console.log(`${step}${lastFault === '' ? '' : `   [${lastFault}]`}`);
  for (const [name, process, address] of processes)
    console.log(`  ${name.padEnd(7)} ${named(formatPage(process.page(address)))}`);
  console.log(`  pages_shared ${ksm('pages_shared')}, pages_sharing ${ksm('pages_sharing')}`);
  lastFault = '';
};
const page = { prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS, lengthBytes: 4096, address: 0 };
for (const name of ['one', 'another']) {
  const process = system.createProcess(name);
  const address = process.mmap(page);
  process.store(address, new TextEncoder().encode('the same words'));
  process.madvise(address, 4096, MADV_MERGEABLE);
  processes.push([name, process, address]);
}
show('two processes have stored the same');
ksm('run', '1');
system.run({});
show('first scan: checksums are noted');
scan();
show('second scan: what has not changed is compared, and merged');
const [[, one, first], [, another, second]] = processes;
one.store(first, new Uint8Array([65]));
show('one stores');
another.store(second, new Uint8Array([66]));
show('another stores');
scan();
show('third scan: the page that was merged has gone');
ksm('smart_scan', '0'); // a page that was looked at in vain so often would be passed over
ksm('use_zero_pages', '1');
one.store(first, new Uint8Array(4096));
scan();
scan();
show('one has stored zeroes, with use_zero_pages: two scans later');
for (const [, process] of processes) process.exit();
system.shutdown();
