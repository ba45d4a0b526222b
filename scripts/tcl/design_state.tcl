# What the flow has done so far, for the recorder: projects, sources, the block design's nets and addresses, clocks.
# Every check here answers one question: would this call find what it refers to?

# Forgets everything: each script runs in a Vivado of its own.
proc reset_state {} {
  array unset ::cells
  array unset ::connected
  array unset ::done
  set ::modules {}
  set ::files {}
  set ::segments {}
  set ::clocks {}
  set ::tops {}
}

# The implemented design, in which the constraints are read: its only clock comes with the processors, and it has no
# ports.
proc implemented_design {} {
  set ::clocks clk_pl_0
  set ::tops system_wrapper
  set ::done(open_run) 1
}

# Calls that a command needs before it.
proc check_order {name} {
  if {[dict exists $::needed_before $name]} {
    set before [dict get $::needed_before $name]
    set earlier 0
    foreach command $before {
      incr earlier [info exists ::done($command)]
    }
    if {!$earlier} {
      find "$name before [join $before { or }]"
    }
  }
  set ::done($name) 1
}

proc modules_of {path} {
  if {[file extension $path] ne ".v" || ![file exists $path]} {
    return {}
  }
  set channel [open $path]
  set text [read $channel]
  close $channel
  set modules {}
  foreach {all name} [regexp -all -inline -line {^module (\w+)} $text] {
    lappend modules $name
  }
  return $modules
}

proc add_source {path} {
  lappend ::files [file tail $path]
  lappend ::modules {*}[modules_of $path]
}

# The modules that heatvit_block.v instantiates have to be among the sources.
proc check_instances {path} {
  if {[file tail $path] ne "heatvit_block.v" || ![file exists $path]} {
    return
  }
  set channel [open $path]
  set text [read $channel]
  close $channel
  foreach {all name} [regexp -all -inline -line {^  (\w+) \w+ \($} $text] {
    if {$name ni $::modules} {
      find "heatvit_block.v: no such module: $name"
    }
  }
}

proc check_known {what known name} {
  if {$name ni $known} {
    find "no such $what: $name"
  }
}

proc check_part {part} {
  check_known part [dict values $::vivado_boards] $part
}

proc check_property_value {name {value {}} {objects {}}} {
  switch $name {
    board_part { check_known board [dict keys $::vivado_boards] $value }
    top { check_known top $::tops $value }
    strategy { check_known strategy $::vivado_strategies $value }
    used_in_synthesis - BITSTREAM.GENERAL.COMPRESS {
      if {![string is boolean -strict $value]} {
        find "$name is not a truth value: $value"
      }
    }
  }
  if {$name in {strategy top} && [info exists ::done(launch_runs)]} {
    find "$name is set after launch_runs"
  }
  if {$objects eq ""} {
    find "$name is set on nothing"
  }
}

proc connect {pins} {
  foreach pin $pins {
    lappend ::connected($pin) [llength $pins]
  }
}

# A bus interface has one partner.
proc connect_interface {pins} {
  foreach pin $pins {
    if {[info exists ::connected($pin)]} {
      find "$pin is connected already"
    }
  }
  connect $pins
}

# Address spaces (0) or segments (1) of the block design.
proc address_ends {place} {
  return [lmap pair $::needed_addresses {lindex [split $pair :] $place}]
}

proc assign_address {space segment} {
  lappend ::segments $space:$segment
}

# Before the block design is valid, every pin that has to be driven is, and every address is given.
proc check_block_design {} {
  foreach cell [lsort [array names ::cells]] {
    foreach pin [dict get $::needed_pins $::cells($cell)] {
      if {![info exists ::connected($cell/$pin)]} {
        find "$cell/$pin is not connected"
      }
    }
  }
  foreach wanted $::needed_addresses {
    if {$wanted ni $::segments} {
      find "no address for [join [split $wanted :] { -> }]"
    }
  }
}
