import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { CloseIcon } from './conversation/icons.tsx'
import './dialog.css'

type DialogProps = {
  title: string
  close?: () => void
  closeLabel?: string
  children: ComponentChildren
  modalClass?: string
}

/** A modal dialog: takes the focus, and gives it back when it closes. Without `close` it cannot be closed. */
export const Dialog = ({ title, close, closeLabel, children, modalClass = '' }: DialogProps): JSX.Element => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      dialog.current?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  const cancel = (event: globalThis.Event) => {
    event.preventDefault()
    close?.()
  }
  return (
    <dialog ref={dialog} class={`dialog ${modalClass}`} aria-labelledby="dialog-title" onCancel={cancel}>
      <div class="dialog-head">
        <h2 id="dialog-title" tabIndex={-1}>
          {title}
        </h2>
        {close ? (
          <button type="button" class="round" aria-label={closeLabel} onClick={close}>
            <CloseIcon />
          </button>
        ) : null}
      </div>
      {children}
    </dialog>
  )
}
