// Subscribes to page faults, described, and to raw events.
import { EVENT_KINDS, formatFault, MemoryEnvironment, System } from 'faultline';
import { helloElf } from './hello-elf.ts';

const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 32 * 2 ** 20 });
system.writeFile('/bin/hello', helloElf('hello\n', 0), 0o755);

const stopFaults = system.onFault((fault) => console.log(formatFault(fault)));
let allocated = 0;
const stopEvents = system.on(['kmem:mm_page_alloc', 'raw_syscalls:sys_enter'], (event) => {
  // The record is reused: take what is needed. EVENT_KINDS names the values; [1] of a page allocation is its order.
  if (EVENT_KINDS[event.kind].name === 'kmem:mm_page_alloc') allocated += 2 ** event.values[1];
  else console.log(`system call number ${event.values[1]} by process ${event.values[0]}`);
});

system.spawn('/bin/hello', ['hello']);
while (system.run({ instructions: 1_000_000 }) !== 'exited');
stopFaults();
stopEvents();
console.log(`${allocated > 0 ? 'some' : 'no'} frames were allocated`);
system.shutdown();
