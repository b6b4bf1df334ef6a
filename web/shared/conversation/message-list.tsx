import type { JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { DownIcon, LockIcon } from './icons.tsx'
import type { Lang } from './item.ts'
import { Message, type MessageActions } from './message.tsx'
import type { TalkWords } from './text/en.ts'
import type { TalkView } from './view-model.ts'

type Props = {
  view: TalkView
  lang: Lang
  words: TalkWords
  actions: MessageActions
  loadOlder: () => void
  /** A quiet line above the first message, and one under the newest. */
  intro?: string
  expect?: string
  /** Called with the newest message of the other side when it is in view. */
  seen: (id: string) => void
}

const near = 80

/**
 * The scrolling list of messages: a polite live log. It stays at the newest message unless the reader has scrolled up, and then keeps the place where they read,
 * also when older messages are put in front.
 */
export const MessageList = ({ view, lang, words, actions, loadOlder, intro, expect, seen }: Props): JSX.Element => {
  const box = useRef<HTMLElement>(null)
  const kept = useRef({ bottom: true, height: 0, view: 0, first: '' })
  const [below, setBelow] = useState(false)
  const firstKey = view.rows.find(row => row.kind === 'message')?.key ?? ''

  /** Stays at the newest message when heights change. */
  const follow = (el: HTMLElement) => {
    if (kept.current.bottom) el.scrollTop = el.scrollHeight
    kept.current.height = el.scrollHeight
    kept.current.view = el.clientHeight
  }
  const note = () => {
    const el = box.current
    if (!el) return
    // An event of our own scrolling can come after the heights have changed again: that is no reader who scrolled up.
    if (el.scrollHeight !== kept.current.height || el.clientHeight !== kept.current.view) follow(el)
    const bottom = el.scrollHeight - el.scrollTop - el.clientHeight < near
    kept.current.bottom = bottom
    if (!bottom) return
    setBelow(false)
    if (view.lastFromTeam !== null) seen(view.lastFromTeam)
  }
  const toEnd = () => {
    const el = box.current
    if (el) el.scrollTop = el.scrollHeight
    note()
  }

  useLayoutEffect(() => {
    const el = box.current
    if (!el) return
    const grewAbove = kept.current.first !== '' && kept.current.first !== firstKey
    if (kept.current.bottom) el.scrollTop = el.scrollHeight
    else if (grewAbove) el.scrollTop += el.scrollHeight - kept.current.height
    else if (el.scrollHeight > kept.current.height) setBelow(true)
    kept.current.height = el.scrollHeight
    kept.current.view = el.clientHeight
    kept.current.first = firstKey
    note()
  }, [view.lastId, view.lastFromTeam, firstKey, view.rows.length])

  // Pictures and the keyboard change heights after the rows are drawn.
  useLayoutEffect(() => {
    const el = box.current
    if (!el) return
    const watch = new ResizeObserver(() => follow(el))
    watch.observe(el)
    for (const child of el.children) watch.observe(child)
    return () => watch.disconnect()
  }, [])

  return (
    <div class="talk">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section ref={box} class="scroll" aria-label={words.list} tabIndex={0} onScroll={note}>
        <div class="scroll-inner">
          {intro ? (
            <p class="intro">
              <LockIcon />
              <span>{intro}</span>
            </p>
          ) : null}
          <div class="older">
            {view.older === 'some' ? (
              <button type="button" class="small" onClick={loadOlder}>
                {words.older}
              </button>
            ) : (
              <p class="soft">
                {view.older === 'loading' ? words.loadingOlder : view.rows.length === 0 ? words.empty : words.beginning}
              </p>
            )}
          </div>
          <div role="log" aria-label={words.list} aria-live="polite" aria-relevant="additions">
            <ol class="rows">
              {view.rows.map(row =>
                row.kind === 'day' ? (
                  <li key={row.key} class="day-line">
                    <h2>{row.label}</h2>
                  </li>
                ) : (
                  <Message key={row.key} row={row} lang={lang} words={words} actions={actions} />
                ),
              )}
            </ol>
          </div>
          {expect ? <p class="expect">{expect}</p> : null}
        </div>
      </section>
      {below ? (
        <button type="button" class="below" onClick={toEnd}>
          <DownIcon />
          {words.newBelow}
        </button>
      ) : null}
    </div>
  )
}
