import { useEffect, useRef, useState } from 'preact/hooks'
import { type Inside, problemOf } from './inside.ts'

export type Loaded<T> = { data: T | null; problem: string | null; busy: boolean; reload(): void }

/** Reads a view when the screen opens, when `key` changes and on `reload`; of two answers the later question's counts. */
export const useView = <T>(inside: Inside, read: () => Promise<T>, key: string): Loaded<T> => {
  const [data, setData] = useState<T | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(true)
  const turn = useRef(0)
  const reload = () => {
    turn.current += 1
    const mine = turn.current
    setBusy(true)
    setProblem(null)
    read().then(
      answer => {
        if (mine !== turn.current) return
        setData(answer)
        setBusy(false)
      },
      error => {
        if (mine !== turn.current) return
        setProblem(problemOf(error, inside) ?? null)
        setBusy(false)
      },
    )
  }
  useEffect(() => {
    reload()
    return () => {
      turn.current += 1
    }
  }, [key])
  return { data, problem, busy, reload }
}
