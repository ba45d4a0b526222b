# Runs the TCL of an output folder without Vivado: every Vivado command goes to a table that knows its options,
# argument counts, properties, pins and ports; file references are looked up in the folder.
#
#     tclsh scripts/tcl/record.tcl FOLDER SCRIPT...
#
# Prints the recorded calls with --print as first argument. Exit code 1 with one line per finding.

source [file join [file dirname [info script]] vivado_commands.tcl]
set findings {}
set calls {}
array set cells {}

proc find {text} {
  lappend ::findings "$::script: $text"
}

# Ports and bus interfaces of a Verilog module.
proc ports_of {path} {
  set channel [open $path]
  set text [read $channel]
  close $channel
  set ports {}
  foreach {all name} [regexp -all -inline -line {^\s*(?:input|output)\s[^;\n]*?(\w+)\s*[,)]?\s*(?://.*)?$} $text] {
    lappend ports $name
  }
  return $ports
}

proc check_file {path} {
  if {![string match "*:*" $path] && ![file exists $path]} {
    find "no such file: $path"
  }
}

proc check_pin {path} {
  if {![regexp {^(\w+)/(\w+)$} $path all cell pin]} {
    find "not a pin: $path"
    return
  }
  if {![info exists ::cells($cell)]} {
    find "no such cell: $cell"
    return
  }
  set kind $::cells($cell)
  if {[dict exists $::ip_pins $kind]} {
    set known [expr {$pin in [dict get $::ip_pins $kind]}]
  } else {
    set known [expr {$pin in $::block_ports || [llength [lsearch -all -glob $::block_ports ${pin}_*valid]]}]
  }
  if {!$known} {
    find "cell $cell ($kind) has no pin $pin"
  }
}

# Splits a call into options and positional arguments and checks both.
proc split_call {name options arguments} {
  set given {}
  set positional {}
  for {set i 0} {$i < [llength $arguments]} {incr i} {
    set word [lindex $arguments $i]
    if {![regexp {^-[a-z]} $word]} {
      lappend positional $word
    } elseif {![dict exists $options $word]} {
      find "$name has no option $word"
    } elseif {[dict get $options $word]} {
      incr i
      if {$i >= [llength $arguments]} {
        find "$name $word needs a value"
      }
      dict set given $word [lindex $arguments $i]
    } else {
      dict set given $word 1
    }
  }
  return [list $given $positional]
}

proc check_properties {given positional} {
  if {[dict exists $given -dict]} {
    set names [dict keys [dict get $given -dict]]
  } else {
    set names [list [lindex $positional 0]]
  }
  foreach name $names {
    if {$name ni $::vivado_properties} {
      find "unknown property $name"
    }
  }
}

# Meanings that go beyond options and counts.
proc check_meaning {name given positional} {
  set first [lindex $positional 0]
  switch $name {
    add_files - read_verilog { check_file $first }
    set_property { check_properties $given $positional }
    get_bd_pins - get_bd_intf_pins { check_pin $first }
    get_ports {
      if {$first ni $::top_ports} {
        find "heatvit_top has no port $first"
      }
    }
    get_bd_cells {
      if {![info exists ::cells($first)]} {
        find "no such cell: $first"
      }
    }
    create_bd_cell {
      if {[dict exists $given -reference]} {
        set ::cells($first) [dict get $given -reference]
        if {$::cells($first) ne "heatvit_block"} {
          find "no such module: $::cells($first)"
        }
      } else {
        set ::cells($first) [lindex [split [dict get $given -vlnv] :] 2]
      }
    }
    get_bd_addr_segs - get_bd_addr_spaces {
      set cell [lindex [split $first /] 0]
      if {![info exists ::cells($cell)]} {
        find "no such cell: $cell"
      }
    }
  }
}

proc answer {how name positional} {
  set first [lindex $positional 0]
  switch $how {
    {} { return {} }
    cell - pin - port - clock { return $first }
    newest { return [string map {* 9.9} $first] }
    property { return [dict get {PROGRESS 100% SLACK 0.1 DIRECTORY run:impl_1} $first] }
    default { return "$name:[join $positional ,]" }
  }
}

rename unknown tcl_unknown
proc unknown {name args} {
  if {![dict exists $::table $name]} {
    find "unknown command $name"
    return {}
  }
  lassign [dict get $::table $name] options fewest most how
  lappend ::calls [list $name {*}$args]
  lassign [split_call $name $options $args] given positional
  set count [llength $positional]
  if {$count < $fewest || $count > $most} {
    find "$name takes $fewest to $most arguments, not $count"
  }
  check_meaning $name $given $positional
  return [answer $how $name $positional]
}

# Nothing is written, and a script that gives up is a finding.
rename file tcl_file
# tclint-disable-next-line redefined-builtin
proc file {sub args} {
  if {$sub in {mkdir copy delete rename}} {
    return {}
  }
  return [uplevel 1 [list tcl_file $sub {*}$args]]
}
rename exit tcl_exit
# tclint-disable-next-line redefined-builtin
proc exit {{code 0}} {
  error "the script gave up with exit code $code"
}

set table {}
foreach {name options fewest most how} $vivado_commands {
  dict set table $name [list $options $fewest $most $how]
}
set print 0
if {[lindex $argv 0] eq "--print"} {
  set print 1
  set argv [lrange $argv 1 end]
}
set folder [lindex $argv 0]
set block_ports [ports_of [file join $folder vivado heatvit_block.v]]
set top_ports [ports_of [file join $folder rtl heatvit_top.v]]
set script ports
foreach port $block_ports {
  if {$port ni $top_ports} {
    find "heatvit_top has no port $port"
  }
}
foreach script [lrange $argv 1 end] {
  # Each script runs in the global namespace with its own cells, as a Vivado of its own would run it.
  array unset cells
  if {[catch {uplevel #0 [list source [file join $folder $script]]} message]} {
    find "$message"
  }
}
if {$print} {
  puts [join $calls \n]
}
foreach finding $findings {
  puts stderr $finding
}
tcl_exit [expr {[llength $findings] > 0}]
