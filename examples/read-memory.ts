// Stops a program in the middle and reads its memory and its page tables. Reading faults nothing in and changes nothing.
import { formatPage, MemoryEnvironment, System } from 'faultline';
import { helloElf } from './hello-elf.ts';

const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 32 * 2 ** 20 });
system.writeFile('/bin/hello', helloElf('hello\n', 0), 0o755);
const pid = system.spawn('/bin/hello', ['hello']);
system.run({ instructions: 3 });

const code = 0x10000;
console.log('magic number:', system.readMemory(pid, code + 1, 3));
const page = system.page(pid, code)!;
console.log(formatPage(page).replace(/frame \d+/, 'frame N'));
for (const { level, index, leaf, flags } of page.walk)
  console.log(`level ${level}: entry ${index} -> ${leaf ? `the page [${flags}]` : 'the next table'}`);
system.shutdown();
