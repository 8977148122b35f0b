package service

// ChangeOf is for a test that feeds it what hubs send.
var ChangeOf = changeOf

// CursorOf is its other direction.
var CursorOf = cursorOf
