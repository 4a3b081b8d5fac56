"""Functions of DuckDB and its spatial, H3 and JSON extensions that only compute.

Left out: what reads settings, files, variables or sequences, sleeps, logs, or runs SQL given as
text.
"""

from __future__ import annotations

DUCKDB = """
    add age aggregate ago alias any_value approx_count_distinct approx_quantile approx_top_k
    arbitrary arg_max arg_max_null arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last
    array_aggr array_aggregate array_apply array_cat array_concat array_cosine_distance
    array_cosine_similarity array_cross_product array_distance array_dot_product array_extract
    array_filter array_grade_up array_has_all array_has_any array_indexof array_inner_product
    array_negative_dot_product array_negative_inner_product array_pop_back array_pop_front
    array_push_back array_push_front array_reduce array_resize array_reverse_sort array_select
    array_slice array_sort array_to_json array_to_string_comma_default array_transform
    array_unique array_value array_where array_zip assert_true bar base64 bin binom bit_and
    bit_count bit_or bit_position bit_xor bitstring bitstring_agg bool_and bool_or
    can_cast_implicitly cardinality cast_to_type century combine constant_or_null contains
    count_star current_localtime current_localtimestamp damerau_levenshtein date_add date_diff
    date_sub datediff datepart datesub datetrunc day dayname days_in_month decade
    decimal_average decimal_division decode divide editdist3 element_at encode ends_with
    entropy enum_code enum_first enum_last enum_range enum_range_boundary epoch epoch_ms
    epoch_ns epoch_us equi_width_bins era error even favg fdiv fill first flatten fmod format
    format_bytes format_type formatreadabledecimalsize formatreadablesize from_base64
    from_binary from_json from_json_strict fsum gamma gcd gen_random_uuid generate_series
    generate_subscripts geomean geometric_mean get_bit get_current_time get_current_timestamp
    get_type grade_up greatest_common_divisor greatest_ignore_nulls h3_cell_to_boundary_wkt
    h3_cell_to_lat h3_cell_to_latlng h3_cell_to_lng h3_cell_to_parent h3_get_resolution
    h3_grid_disk h3_grid_distance h3_latlng_to_cell h3_latlng_to_cell_string hamming hash hex
    histogram histogram_exact hour icu_calendar_names ilike_escape is_histogram_other_bin
    isfinite isinf isnan isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json
    json_array json_contains json_deep_merge json_each json_exists json_extract
    json_extract_path json_extract_path_text json_extract_string json_group_array
    json_group_object json_group_structure json_insert json_keys json_merge_patch
    json_merge_patch_diff json_normalize json_object json_pretty json_quote json_replace
    json_structure json_transform json_transform_strict json_tree json_type json_valid
    json_value julian kahan_sum kurtosis kurtosis_pop last lcm least_common_multiple
    left_grapheme left_pad length_grapheme levenshtein lgamma like_escape list_aggr
    list_aggregate list_any_value list_append list_apply list_approx_count_distinct list_avg
    list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat list_concat
    list_contains list_cosine_distance list_cosine_similarity list_count list_distance
    list_distinct list_dot_product list_element list_entropy list_extract list_filter
    list_first list_grade_up list_has list_has_all list_histogram list_indexof
    list_inner_product list_intersect list_kurtosis list_kurtosis_pop list_last list_mad
    list_median list_mode list_negative_dot_product list_negative_inner_product list_pack
    list_position list_prepend list_product list_reduce list_resize list_reverse
    list_reverse_sort list_select list_sem list_skewness list_slice list_sort list_stddev_pop
    list_stddev_samp list_string_agg list_sum list_transform list_unique list_value
    list_var_pop list_var_samp list_where list_zip lttb mad make_date make_time make_timestamp
    make_timestamp_ms make_timestamp_ns make_timestamptz make_type map_concat map_contains
    map_contains_entry map_contains_value map_entries map_extract map_extract_value
    map_from_entries map_keys map_values max_by md5_number md5_number_lower md5_number_upper
    mean microsecond millennium millisecond min_by minute mismatches mode month multiply
    nanosecond nextafter nfc_normalize normalized_interval not_ilike_escape not_like_escape
    ord parse_dirname parse_dirpath parse_filename parse_formatted_bytes parse_path path_join
    pg_size_pretty pg_timezone_names pg_typeof prefix printf product quantile quantile_cont
    quantile_disc range rank_dense reduce regexp_escape regexp_extract_all regexp_matches
    regexp_split_to_array regexp_split_to_table remap_struct repeat_row reservoir_quantile
    right_grapheme round_even roundbankers row row_to_json second sem set_bit sha1 sha256
    signbit skewness st_area st_area_spheroid st_asbinary st_asgeojson st_astext st_aswkb
    st_aswkt st_boundary st_buffer st_centroid st_collect st_contains st_convexhull
    st_coveredby st_covers st_crosses st_crs st_difference st_dimension st_disjoint
    st_distance st_distance_sphere st_distance_spheroid st_dwithin st_dwithin_spheroid
    st_endpoint st_envelope st_envelope_agg st_equals st_extent st_extent_agg st_exteriorring
    st_flipcoordinates st_geometrytype st_geomfromgeojson st_geomfromhexewkb st_geomfromhexwkb
    st_geomfromtext st_geomfromwkb st_hilbert st_intersection st_intersection_agg
    st_intersects st_intersects_extent st_isclosed st_isempty st_isring st_issimple st_isvalid
    st_length st_length_spheroid st_linemerge st_makeenvelope st_makeline st_makepolygon
    st_makevalid st_normalize st_npoints st_numgeometries st_numpoints st_overlaps
    st_perimeter st_perimeter_spheroid st_point st_point2d st_pointn st_pointonsurface
    st_quadkey st_reduceprecision st_reverse st_setcrs st_simplify st_simplifypreservetopology
    st_startpoint st_tileenvelope st_touches st_transform st_union st_union_agg st_within st_x
    st_xmax st_xmin st_y st_ymax st_ymin starts_with stats str_split strftime string_split
    string_to_array strip_accents strlen strptime struct_concat struct_contains
    struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack
    struct_position struct_update struct_values substring_grapheme subtract suffix
    sum_no_overflow sumkahan switch time_bucket timezone timezone_hour timezone_minute to_base
    to_base64 to_centuries to_decades to_hours to_json to_microseconds to_millennia
    to_milliseconds to_minutes to_months to_quarters to_seconds to_weeks to_years today
    transaction_timestamp try_strptime unbin unhex unicode union_extract union_tag union_value
    unpivot_list url_decode url_encode uuid uuid_extract_timestamp uuid_extract_version uuidv4
    uuidv7 variant_array_length variant_contains variant_exists variant_extract
    variant_extract_string variant_group_array variant_group_object variant_keys
    variant_normalize variant_type variant_typeof vector_type wavg week_iso weighted_avg year
    yearweek
"""
