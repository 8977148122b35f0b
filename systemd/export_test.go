package systemd

// Beat is open to tests, where time is synthetic.
var Beat = beat
