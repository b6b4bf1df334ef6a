import { useEffect, useRef, useState } from 'preact/hooks'
import type { Deadlines, Session } from '../admin-contract.ts'
import { extendEvery, isSignOfLife, type Phase, phaseOf, signsOfLife } from '../shared/deadlines.ts'
import { type Api, ApiError } from './api.ts'
import type { Gone } from './inside.ts'

/** How often the page asks whether its session still stands: after that long at most, what a lost role must not show is gone from the screen. */
const askEvery = 10_000

export type Watch = { deadlines: Deadlines; phase: Phase; now: number; stay(): void }

/**
 * Watches a session: asks the server, counts down, tells it at most once a minute that somebody is there, and calls `gone` when it is over. While the warning
 * stands only `stay` keeps it alive.
 */
export const useSession = (api: Api, session: Session, gone: (why: Gone) => void): Watch => {
  const [deadlines, setDeadlines] = useState<Deadlines>(session)
  const [now, setNow] = useState(Date.now())
  const phase = phaseOf(deadlines, now)
  const told = useRef(Date.now())
  const latest = useRef(phase)
  latest.current = phase

  const ask = (call: () => Promise<Deadlines>) => {
    call().then(setDeadlines, error => {
      // Without a network the page's own clock still ends the session.
      if (error instanceof ApiError && error.status === 401) gone('else')
    })
  }
  const stay = () => {
    told.current = Date.now()
    ask(api.extend)
  }

  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 1000)
    const asking = setInterval(() => ask(api.standing), askEvery)
    const back = () => {
      setNow(Date.now())
      if (document.visibilityState === 'visible') ask(api.standing)
    }
    const act = (event: Event) => {
      if (!isSignOfLife(event)) return
      if (latest.current === 'fine' && Date.now() - told.current >= extendEvery) stay()
    }
    document.addEventListener('visibilitychange', back)
    for (const kind of signsOfLife) document.addEventListener(kind, act, { passive: true })
    return () => {
      clearInterval(tick)
      clearInterval(asking)
      document.removeEventListener('visibilitychange', back)
      for (const kind of signsOfLife) document.removeEventListener(kind, act)
    }
  }, [])
  useEffect(() => {
    if (phase === 'over') gone('idle')
    if (phase === 'reauth') gone('limit')
  }, [phase])
  return { deadlines, phase, now, stay }
}
