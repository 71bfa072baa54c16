/** Shapes of the API that the portal names often. */
import type { components } from '#lib/api/schema.d.ts';

type Schemas = components['schemas'];

export type Finding = Schemas['FindingOut'];
