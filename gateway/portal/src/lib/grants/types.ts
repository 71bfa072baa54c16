/** Shapes of the API that the grants pages name often. */
import type { Schemas } from '#lib/api/client.ts';

export type Finding = Schemas['FindingOut'];
export type Check = Schemas['CheckOut'];
export type Meter = Schemas['MeterOut'];
export type Programme = Schemas['ProgrammeOut'];
export type Proposal = Schemas['ProposalOut'];
export type ProposalDetail = Schemas['ProposalDetail'];
