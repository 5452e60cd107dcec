import { configureGlobal } from 'fast-check';

/**
 * Gives every property test one seed, so that the same code passes or fails everywhere alike; a rare
 * input is looked for where nothing waits for it: `npm run test:properties`, which sets PROPERTY_SEED.
 */
const seed = Number(process.env['PROPERTY_SEED'] ?? 1);
if (!Number.isInteger(seed)) throw new TypeError('PROPERTY_SEED is a whole number');
configureGlobal({ seed });
