// Package webui is the screens and papers of one hub: server-rendered HTML for
// the desk and, on its own host name, for the kiosk.
//
// Every handler does the same three things: it parses the request, asks package
// node, and renders a page struct of package page; a change ends with a redirect
// (303), so that a page reloaded is never a change made twice. A handler returns
// its error: one place turns fault codes into a status and a page, and a fault
// on a form is shown on the form with what was typed.
//
// What must hold for every answer, 404 and 405 included, is put around the
// router and not inside it (Handler): host names, headers, cross-origin
// protection, limits, logging. gorilla/mux runs its own middleware on matched
// routes only.
//
// Nothing of a person is ever in an address: identifiers of visits and mandates
// are random, and what is typed travels in the body of a POST.
package webui
