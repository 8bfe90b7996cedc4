import fc from 'fast-check';

/**
 * fast-check with a seed of our own: what `npm test` tries is the same in every run. `FAULTLINE_SEED=N` in the environment tries
 * something else.
 */
fc.configureGlobal({ seed: Number(process.env['FAULTLINE_SEED'] ?? 20261121) });

export { fc };
