/** Whose account it is, as the server tells it. */
import { answer, api, type Answer, type Schemas } from '../api/client.ts';

export type Me = Schemas['OwnOut'];

export const meQuery = {
  queryKey: ['auth', 'me'],
  queryFn: (): Promise<Answer<Me>> => answer(api.GET('/api/v1/auth/me')),
};
