/**
 * `npm run bench`: every row against native Linux and qemu-riscv64 (full.ts); `-- --quick`: half a minute, against a loop of the host
 * (quick.ts); `-- --cpu`: the interpreter or JIT alone, without a kernel (cpu.ts). README.md has the options.
 */
if (process.argv.includes('--child')) {
  const { runChild } = await import('./faultline-child.ts');
  console.log(JSON.stringify(runChild(JSON.parse(process.argv.at(-1)!))));
} else if (process.argv.includes('--quick')) await import('./quick.ts');
else if (process.argv.includes('--cpu')) await import('./cpu.ts');
else {
  const { runFull } = await import('./full.ts');
  await runFull();
}

export {};
