import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Session } from '../admin-contract.ts'
import { type Api, ApiError } from './api.ts'
import type { Gone } from './inside.ts'
import { Door, type DoorState } from './screens/door.tsx'
import { SignedIn } from './signed-in.tsx'
import { text } from './text.ts'

type State = { at: 'starting' } | { at: 'door'; door: DoorState } | { at: 'in'; session: Session }

/** The token of a one-time link, in the part of the address that never leaves the browser. */
const tokenHere = (): string | null =>
  location.pathname === '/sign-in' ? (/^#([1-9A-HJ-NP-Za-km-z]{22})$/.exec(location.hash)?.[1] ?? null) : null

const problemAtDoor = (error: unknown): string => {
  if (!(error instanceof ApiError)) throw error
  if (error.status === 0) return text.problem.network
  return error.status === 429 ? text.problem.many : text.problem.server
}

/** The whole page: the door, or what is behind it. Opening a link changes nothing; the tap does. */
export const App = ({ api }: { api: Api }): JSX.Element => {
  const [state, setState] = useState<State>({ at: 'starting' })
  const door = (state: DoorState) => setState({ at: 'door', door: state })

  const begin = () => {
    const token = tokenHere()
    if (token) return door({ is: 'link', token })
    api.resume().then(
      session => (session ? setState({ at: 'in', session }) : door({ is: 'how' })),
      error => door({ is: 'how', problem: problemAtDoor(error) }),
    )
  }
  const signIn = (token: string) => {
    door({ is: 'link', token, busy: true })
    api.signIn(token).then(
      session => {
        history.replaceState(null, '', session ? `/#${session.views[0] ?? ''}` : '/')
        if (session) setState({ at: 'in', session })
        else door({ is: 'closed' })
      },
      error => door({ is: 'link', token, problem: problemAtDoor(error) }),
    )
  }
  const gone = (why: Gone) => {
    history.replaceState(null, '', '/')
    door({ is: 'gone', why })
  }

  useEffect(begin, [])
  useEffect(() => {
    // A second link that is opened in the same tab.
    const follow = () => {
      const token = tokenHere()
      if (token) door({ is: 'link', token })
    }
    window.addEventListener('hashchange', follow)
    return () => window.removeEventListener('hashchange', follow)
  }, [])

  switch (state.at) {
    case 'starting':
      return (
        <main class="door">
          <h1 class="unseen">{text.product}</h1>
          <p role="status">{text.loading}</p>
        </main>
      )
    case 'door':
      return <Door state={state.door} onSignIn={signIn} />
    case 'in':
      return <SignedIn key={state.session.csrf} api={api} session={state.session} gone={gone} />
  }
}
