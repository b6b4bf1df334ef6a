import { useEffect, useRef, useState } from 'preact/hooks'
import { type Inside, problemOf } from './inside.ts'
import type { Loaded } from './use-view.ts'

/** `now`: the server's clock, going on between its answers; `old`: the last question was not answered, so that what is shown may be over. */
export type Live<T> = Loaded<T> & { now: number; old: boolean }

/**
 * A view that reads itself anew every `everyMs` while the page is seen, and when it comes back to sight. Looking is no use of the page: the session ends in spite
 * of it. Without an answer what was there stays, and is said to be old.
 */
export const useLive = <T extends { now: number }>(
  inside: Inside,
  read: (again: boolean) => Promise<T>,
  everyMs: number,
): Live<T> => {
  const [state, setState] = useState<{ data: T | null; ahead: number; problem: string | null }>({
    data: null,
    ahead: 0,
    problem: null,
  })
  const [busy, setBusy] = useState(true)
  const [now, setNow] = useState(Date.now())
  const turn = useRef(0)
  const ask = (again: boolean) => {
    turn.current += 1
    const mine = turn.current
    if (!again) setBusy(true)
    read(again).then(
      data => {
        if (mine !== turn.current) return
        setState({ data, ahead: data.now - Date.now(), problem: null })
        setBusy(false)
      },
      error => {
        if (mine !== turn.current) return
        const problem = problemOf(error, inside) ?? null
        setState(before => ({ ...before, problem }))
        setBusy(false)
      },
    )
  }
  useEffect(() => {
    ask(false)
    const seen = () => document.visibilityState === 'visible'
    const tick = setInterval(() => setNow(Date.now()), 1000)
    const asking = setInterval(() => seen() && ask(true), everyMs)
    const back = () => seen() && ask(true)
    document.addEventListener('visibilitychange', back)
    return () => {
      turn.current += 1
      clearInterval(tick)
      clearInterval(asking)
      document.removeEventListener('visibilitychange', back)
    }
  }, [])
  const { data, ahead, problem } = state
  return {
    data,
    problem: data === null ? problem : null,
    old: data !== null && problem !== null,
    busy,
    now: Math.max(now + ahead, data?.now ?? 0),
    reload: () => ask(false),
  }
}
