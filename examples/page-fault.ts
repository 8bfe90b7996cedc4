// The pictures of docs/page-fault.md: the same line for a page after each step.
import {
  type DrivenProcess,
  formatPage,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  MemoryEnvironment,
  O_RDWR,
  PROT_READ,
  PROT_WRITE,
  System,
} from 'faultline';

const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 32 * 2 ** 20 });
/** Frames by letter, in the order in which they appear. */
const letters = new Map<string, string>();
const named = (line: string) =>
  line.replace(/frame (\d+)/, (_, pfn: string) => {
    if (!letters.has(pfn)) letters.set(pfn, String.fromCharCode(65 + letters.size));
    return `frame ${letters.get(pfn)}`;
  });
let lastFault = '';
system.onFault((fault) => (lastFault = fault.kind));
const show = (step: string, pages: readonly (readonly [DrivenProcess, number])[]) => {
  console.log(`${step}${lastFault === '' ? '' : `   [${lastFault}]`}`);
  for (const [process, address] of pages)
    console.log(`  ${process === child ? 'child ' : 'parent'}  ${named(formatPage(process.page(address)))}`);
  lastFault = '';
};
const rights = { prot: PROT_READ | PROT_WRITE, lengthBytes: 2 * 4096, address: 0 };
const byte = new Uint8Array([1]);
let child: DrivenProcess | null = null;
const parent = system.createProcess('parent');

console.log('== anonymous memory ==');
const memory = parent.mmap({ ...rights, flags: MAP_PRIVATE | MAP_ANONYMOUS });
show('mmap', [[parent, memory]]);
parent.load(memory, 1);
show('load', [[parent, memory]]);
parent.store(memory, byte);
show('store', [[parent, memory]]);
child = parent.fork();
show('fork', [
  [parent, memory],
  [child, memory],
]);
child.store(memory, byte);
show('the child stores', [
  [parent, memory],
  [child, memory],
]);
parent.store(memory, byte);
show('the parent stores', [
  [parent, memory],
  [child, memory],
]);
child.exit();

console.log('== a file, mapped privately and shared ==');
system.writeFile('/tmp/notes', new Uint8Array(2 * 4096).fill(65));
const file = parent.openFile('/tmp/notes', O_RDWR);
if (typeof file === 'number') throw new Error(`open: error ${-file}`);
const own = parent.mmap({ ...rights, flags: MAP_PRIVATE, file });
const shared = parent.mmap({ ...rights, flags: MAP_SHARED, file });
file.release();
show('two mmaps', [
  [parent, own],
  [parent, shared],
]);
parent.load(own + 4096, 1);
show('load through the private one, page 1', [
  [parent, own + 4096],
  [parent, shared + 4096],
]);
parent.store(shared + 4096, byte);
show('store through the shared one', [
  [parent, own + 4096],
  [parent, shared + 4096],
]);
parent.store(own + 4096, byte);
show('store through the private one', [
  [parent, own + 4096],
  [parent, shared + 4096],
]);
parent.exit();
system.shutdown();
