import { runChromium } from './chromium.ts';
import { runCpu } from './cpu.ts';
import { runChild } from './faultline-child.ts';
import { runFull } from './full.ts';
import { runPauses } from './pauses.ts';
import { runQuick } from './quick.ts';

/**
 * `npm run bench`: every row against native Linux and qemu-riscv64 (full.ts); `-- --quick`: half a minute, against a loop of the host
 * (quick.ts); `-- --cpu`: the interpreter or JIT alone, without a kernel (cpu.ts);
 * `-- --chromium`: the same bundle in headless Chromium and in Node (chromium.ts); `-- --pauses PROGRAM`: how long translation stops a program (pauses.ts). README.md has the options. All are imported at once:
 * a bundler makes variables of the constants of modules that are loaded later, which is slower than what users run.
 */
if (process.argv.includes('--child')) console.log(JSON.stringify(runChild(JSON.parse(process.argv.at(-1)!))));
else if (process.argv.includes('--quick')) await runQuick();
else if (process.argv.includes('--cpu')) runCpu();
else if (process.argv.includes('--chromium')) await runChromium();
else if (process.argv.includes('--pauses')) runPauses();
else await runFull();
