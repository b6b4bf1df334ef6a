import type { UserId } from '../../../core/domain/ids.ts'
import type { Session, SignInAnswer } from '../../../web/admin-contract.ts'
import type { CommandWorld } from './command-world.ts'
import { type Browser, httpBrowser } from './public-http.ts'

/** The address of the administrators' page in tests that speak HTTP to it. */
export const adminUrl = 'http://localhost:8082'

/** The token in the link that `!admin link` answers; empty when it answers none. */
export const linkToken = async (w: CommandWorld, who: UserId): Promise<string> =>
  /\/sign-in#(\w{22})/.exec((await w.ask(who, '!admin link')).body)?.[1] ?? ''

export const signInWith = async (b: Browser, token: string): Promise<SignInAnswer> =>
  (await b.post('/api/sign-in', { token })).json() as Promise<SignInAnswer>

/** A browser that is signed in at the page which `url` serves, with what its page got. */
export const adminVisitor = async (
  w: CommandWorld,
  url: string,
  who: UserId,
): Promise<{ b: Browser; session: Session }> => {
  const b = httpBrowser(url, adminUrl)
  const answer = await signInWith(b, await linkToken(w, who))
  if (answer.state !== 'in') throw new Error('not signed in')
  return { b, session: answer.session }
}
