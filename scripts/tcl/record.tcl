# Runs the TCL of an output folder without Vivado: every Vivado command goes to a table that knows its options,
# argument counts, properties, pins and ports; file references are looked up in the folder.
#
#     tclsh scripts/tcl/record.tcl FOLDER SCRIPT...
#
# Prints the recorded calls with --print as first argument. Exit code 1 with one line per finding.

source [file join [file dirname [info script]] vivado_commands.tcl]
source [file join [file dirname [info script]] design_state.tcl]
set findings {}
set calls {}

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

# What an option was given, or something else where it is missing.
proc option {given name otherwise} {
  return [expr {[dict exists $given $name] ? [dict get $given $name] : $otherwise}]
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
  if {![dict exists $given -dict]} {
    check_property_value {*}$positional
  }
}

# Meanings that go beyond options and counts: sources, projects and runs.
proc check_project {name given positional} {
  set first [lindex $positional 0]
  switch $name {
    add_files - read_verilog {
      check_file $first
      check_instances $first
      add_source $first
      if {[dict exists $given -fileset]} {
        check_known fileset $::vivado_filesets [dict get $given -fileset]
      }
    }
    set_property { check_properties $given $positional }
    create_project { check_part [option $given -part {}] }
    get_board_parts { check_known board [dict keys $::vivado_boards] $first }
    get_files { check_known file $::files $first }
    get_filesets { check_known fileset $::vivado_filesets $first }
    get_runs - launch_runs - wait_on_run - open_run { check_known run $::vivado_runs $first }
    make_wrapper { lappend ::tops system_wrapper }
    synth_design {
      check_part [option $given -part {}]
      check_known top $::modules [option $given -top {}]
      lappend ::tops heatvit_top
    }
    create_clock { lappend ::clocks [option $given -name $first] }
    get_clocks { check_known clock $::clocks $first }
    get_ports {
      if {$::tops ne "heatvit_top"} {
        find "$::tops has no port $first"
      } elseif {$first ni $::top_ports} {
        find "heatvit_top has no port $first"
      }
    }
  }
}

# The same for the block design.
proc check_block {name given positional} {
  set first [lindex $positional 0]
  switch $name {
    create_bd_design { lappend ::files $first.bd }
    get_bd_pins - get_bd_intf_pins { check_pin $first }
    get_bd_cells {
      if {![info exists ::cells($first)]} {
        find "no such cell: $first"
      }
    }
    create_bd_cell {
      if {[dict exists $given -reference]} {
        set ::cells($first) [dict get $given -reference]
        check_known module $::modules $::cells($first)
      } else {
        set ::cells($first) [lindex [split [dict get $given -vlnv] :] 2]
        check_known IP [dict keys $::ip_pins] $::cells($first)
      }
    }
    connect_bd_net { connect $positional }
    connect_bd_intf_net { connect_interface $positional }
    get_bd_addr_segs { check_known "address segment" [address_ends 1] $first }
    get_bd_addr_spaces { check_known "address space" [address_ends 0] $first }
    assign_bd_address { assign_address [option $given -target_address_space {}] $first }
    validate_bd_design { check_block_design }
  }
}

proc answer {how name positional} {
  set first [lindex $positional 0]
  switch $how {
    {} { return {} }
    first { return $first }
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
  check_order $name
  check_project $name $given $positional
  check_block $name $given $positional
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
  # Each script runs in the global namespace with a state of its own, as a Vivado of its own would run it.
  reset_state
  if {[file extension $script] eq ".xdc"} {
    implemented_design
  }
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
