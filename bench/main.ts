/** `npm run bench`: the CPU against qemu-riscv64; `-- --quick`: ratios against bench/baseline.json; `-- --quick --save` writes it. */
if (process.argv.includes('--quick')) await import('./quick.ts');
else await import('./cpu.ts');

export {};
